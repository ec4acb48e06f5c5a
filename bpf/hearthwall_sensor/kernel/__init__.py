"""The kernel's side of the sensor: loading and pinning programs, reading and writing their tables."""
