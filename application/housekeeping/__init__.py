"""Housekeeping of a data folder: sweeps, and decisions about orphans and alerts."""
