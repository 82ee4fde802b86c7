"""What a channel airs and when: pure functions of definition, catalogue and day."""
