"""Nouns of the lifecycle and their rules: frozen records and pure functions, nothing third-party."""
