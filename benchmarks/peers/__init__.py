"""The nine-step saga on others' engines."""
