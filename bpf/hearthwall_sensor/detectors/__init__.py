"""Detectors: each turns observations of one kind of trouble into events, live and over a capture."""
