"""What keeps a data folder clean: sweeps, and decisions about orphans and alerts."""
