"""Graph stores: a ladybug file, or memory."""
