"""The event history: envelopes, runs of one type, and what goes wrong with stored events."""
