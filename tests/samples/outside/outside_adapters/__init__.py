"""Adapters of another distribution, written against `sagaledger.ports` alone."""
