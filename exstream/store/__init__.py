"""What is kept: libraries and items, published timelines, and what really aired."""
