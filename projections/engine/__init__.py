"""Applies each event to the read models exactly once, and runs queries on them."""
