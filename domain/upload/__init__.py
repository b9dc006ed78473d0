"""The upload aggregate: the transfer of one file into the chunk store, its events and decisions."""
