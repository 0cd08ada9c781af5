"""Technologies behind the ports, one a file."""
