"""Typed queries over several read models."""
