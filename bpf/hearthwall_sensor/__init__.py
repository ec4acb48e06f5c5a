"""Hearthwall's sensor: what runs as root beside the kernel programs."""

__version__ = "0.1.0"
