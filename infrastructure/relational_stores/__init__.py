"""Relational stores: any engine that SQLAlchemy speaks to, SQLite by default."""
