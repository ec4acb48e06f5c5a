"""What lets a Home Assistant on another host in: TLS, tokens, and who may knock how often."""
