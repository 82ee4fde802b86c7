"""The sites, over real sockets."""
