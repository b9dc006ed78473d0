"""Typed questions over several read models. They print nothing."""
