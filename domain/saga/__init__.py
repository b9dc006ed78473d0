"""One saga: its events, its state, what may happen next, and what it is made of."""
