"""Flows: who talks with whom, what was counted, and what is known of it."""
