"""The event history: envelopes, runs of one type, and the errors of stored events."""
