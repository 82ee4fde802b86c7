"""Tests of the media server that the other tests use."""
