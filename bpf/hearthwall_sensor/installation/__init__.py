"""The sensor as a part of a gateway: its copy, its unit, its group, and how they come and go."""
