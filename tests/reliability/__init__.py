"""The whole server as a process of its own, and everything that may go wrong around it."""
