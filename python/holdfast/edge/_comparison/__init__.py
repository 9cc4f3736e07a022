"""Results against one another."""
