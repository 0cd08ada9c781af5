"""Translators: each parses what its people say, calls the API, and shows what it answers."""
