"""The catalog in SQL: one small store per noun over SQLAlchemy Core, SQLite on disk or in memory."""

from mlalm_jupyter.adapters.catalog.catalog import SqlCatalog

__all__ = ["SqlCatalog"]
