"""Read models over the event log: derived, disposable, rebuilt from position 0 at will."""
