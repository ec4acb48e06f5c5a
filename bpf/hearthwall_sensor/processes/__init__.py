"""Processes of this host: what they are, whom they talk to, and what they do that intruders do."""
