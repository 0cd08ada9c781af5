"""The model lifecycle, native to Jupyter."""
