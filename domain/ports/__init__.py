"""Ports: the interfaces that the core needs, one `Protocol` per file.

Every adapter of a port passes the port's contract tests.
"""
