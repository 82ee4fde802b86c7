"""The whole server as people and their players meet it."""
