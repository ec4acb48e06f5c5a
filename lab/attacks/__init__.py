"""What goes wrong in a home: attacks with the tools that attackers use, each by one device of the lab."""
