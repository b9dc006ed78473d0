"""Where signed manifests are kept."""
