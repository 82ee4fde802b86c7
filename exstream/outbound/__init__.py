"""What goes out to other servers: the one owner of httpx and websockets, with their limits and errors in sentences.

`incoming` reads one answer of any server; a `Pool` keeps connections to one server; `patiently` asks again what may be
asked again, a `Breaker` keeps from asking who does not answer; `line` listens to a websocket.
"""

from exstream.outbound.breaker import Breaker
from exstream.outbound.incoming import SILENCE_SECONDS, Incoming, incoming
from exstream.outbound.line import line
from exstream.outbound.patience import ONCE, Patience, patiently, retry_after
from exstream.outbound.pool import NOTHING, PAGE, QUICK, Answer, Call, Pool, Stretch, shown

__all__ = [
    "NOTHING",
    "ONCE",
    "PAGE",
    "QUICK",
    "SILENCE_SECONDS",
    "Answer",
    "Breaker",
    "Call",
    "Incoming",
    "Patience",
    "Pool",
    "Stretch",
    "incoming",
    "line",
    "patiently",
    "retry_after",
    "shown",
]
