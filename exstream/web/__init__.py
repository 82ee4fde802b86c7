"""The two HTTP sites: IPTV, API and pages on one port, the HDHomeRun tuner on the other.

Both are open to loopback and private networks, judged by the socket's address; pages and API ask for no login yet.
"""
