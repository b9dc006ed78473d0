"""The library: the ledger of an open data folder, and functions on it."""
