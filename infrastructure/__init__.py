"""Adapters that implement the domain's ports: databases, files, clock, keys, text extraction."""
