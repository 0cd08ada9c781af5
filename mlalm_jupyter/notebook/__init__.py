"""What a notebook says: pure functions over its text."""
