"""Adapters: what touches the world on behalf of the domain's ports."""
