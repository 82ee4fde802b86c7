"""Brings the libraries of media servers into the catalogue, and keeps them true."""
