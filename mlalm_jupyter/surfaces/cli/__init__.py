"""The terminal: `mlalm NOUN VERB ...`."""
