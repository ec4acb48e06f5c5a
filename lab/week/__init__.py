"""Weeks of a home's life as a capture: what twenty devices do by day and by night, packet by packet, from a seed."""
