"""What applies events to read models, each exactly once, and answers questions to them."""
