"""MPEG transport streams, without I/O: packets, tables, cards and the splice."""
