"""The one place where adapters are chosen and wired to the core."""
