"""Captures: files of packets, read and metered as the kernel programs do."""
