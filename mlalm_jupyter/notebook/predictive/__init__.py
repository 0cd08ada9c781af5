"""A training notebook cut down to what scores, told from its text alone."""
