"""Who drives which saga: leases in a database file."""
