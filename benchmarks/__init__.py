"""What `python -m benchmarks` measures, shows and keeps."""
