"""The saga engine: drives any definition to its end, and knows nothing of what the steps carry."""
