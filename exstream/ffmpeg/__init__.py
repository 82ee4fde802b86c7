"""ffmpeg: command lines, processes, probing and feeds."""
