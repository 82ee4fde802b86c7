"""What airs and when."""
