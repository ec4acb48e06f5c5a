"""What names resolve to, and the rules on names."""
