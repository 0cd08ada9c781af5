"""The hot path: answers scoring requests from deployed definitions, without Jupyter, SQL or a framework."""
