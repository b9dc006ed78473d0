"""One module a port: the tests that every adapter of it passes."""
