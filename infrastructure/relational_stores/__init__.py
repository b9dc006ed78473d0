"""Relational stores: SQLite through SQLAlchemy, or memory."""
