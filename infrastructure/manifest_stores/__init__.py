"""Manifest stores: a folder, or memory."""
