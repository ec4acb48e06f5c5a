"""This host's own processes: what they are, whom they talk to, and what they do that intruders do."""
