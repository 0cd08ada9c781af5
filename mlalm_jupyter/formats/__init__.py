"""How model objects become files and tables, for registering and for scoring alike."""
