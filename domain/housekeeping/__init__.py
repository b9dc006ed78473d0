"""Housekeeping: orphans and alerts."""
