"""Documents of parts that were compressed apart."""

import gzip
import subprocess
import zlib

from hypothesis import given
from hypothesis import strategies as st

from exstream.guide.packing import Fragment, fragment, gzip_file
from tests import programs

TEXTS = st.lists(st.binary(max_size=200) | st.sampled_from([b"x" * 70_000, bytes(40_000)]), max_size=6)


@given(TEXTS)
def test_fragments_in_any_order_make_one_member(texts: list[bytes]) -> None:
    """Readers that stop after a file's first member have all of it: length, sum and end are right."""
    made = [fragment(text) for text in texts]
    for parts in (made, made[::-1]):
        whole = b"".join(texts if parts is made else texts[::-1])
        packed = gzip_file(parts)
        assert gzip.decompress(packed) == whole
        reader = zlib.decompressobj(31)
        assert reader.decompress(packed) == whole
        assert reader.eof
        assert not reader.unused_data


@given(st.binary(max_size=500))
def test_a_fragment_tells_what_it_holds(text: bytes) -> None:
    """Length and sum are those of the text, which needs nothing else to be read."""
    made = fragment(text)
    assert zlib.decompressobj(-15).decompress(made.compressed) == text
    assert (made.length, made.crc) == (len(text), zlib.crc32(text))


def test_the_sum_is_checked() -> None:
    """A fragment that is not what it says makes a file that programs refuse, and the right one does not."""
    program = programs.require_program("gzip")
    right = fragment(b"A guide. " * 1_000)
    wrong = Fragment(right.compressed, right.length, right.crc ^ 1)
    verdicts = [
        subprocess.run(
            [program, "--test"], input=gzip_file([right, made, right]), capture_output=True, check=False
        ).returncode
        for made in (right, wrong)
    ]
    assert verdicts[0] == 0
    assert verdicts[1] != 0
