"""Captures made with real clients in the lab, and of odd packets: `python -m tests.captures FOLDER` writes them."""
