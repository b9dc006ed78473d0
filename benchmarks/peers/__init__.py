"""The nine-step saga on the engines of peers."""
