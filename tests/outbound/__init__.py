"""What goes out to other servers."""
