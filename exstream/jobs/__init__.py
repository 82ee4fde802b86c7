"""Work in the background: the library, the timeline's horizon, cards and the demo."""
