"""Synchronisation with servers: the rules, then the real store against a server in a process of its own."""
