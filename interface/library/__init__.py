"""The library: one data folder at work, and the functions on it."""
