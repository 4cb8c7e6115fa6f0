"""What the benchmarks of supervision share."""
