"""What the core needs from the world: one role a file, each a small `Protocol`.

Every adapter of a port passes the port's one contract suite.
"""
