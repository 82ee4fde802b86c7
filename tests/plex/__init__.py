"""What Plex tells, and how it is asked."""
