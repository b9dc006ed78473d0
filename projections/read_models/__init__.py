"""The read models: the tables that each keeps, and how each event changes them."""
