"""Manufacturer Usage Descriptions (RFC 8520): what a device is said to need, read, written, expected and enforced."""
