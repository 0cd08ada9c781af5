"""JupyterLab: the server's handlers behind the panel, and what tells Jupyter of us."""
