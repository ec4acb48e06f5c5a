"""Patterns of intrusions into this host: what its processes do one after the other, a small file for each."""
