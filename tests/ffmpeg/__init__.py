"""Tests of command lines, processes, probing and feeds, most of them on real ffmpegs."""
