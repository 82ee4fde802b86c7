"""Data only: what the product talks about, in the field's words."""
