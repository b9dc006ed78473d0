"""Documents: identity, records for the downstream stores, signed manifest."""
