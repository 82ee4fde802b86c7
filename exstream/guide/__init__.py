"""What viewers' guides and channel lists say: pure functions of published rows and definitions."""
