"""What is looked after beside the sagas: orphans and alerts."""
