"""The processes of the server: supervisor, scorers, api process, workers, and the home they live in."""
