"""What guides and channel lists say."""
