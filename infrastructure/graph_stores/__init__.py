"""Graph stores: ladybug in one file, or memory."""
