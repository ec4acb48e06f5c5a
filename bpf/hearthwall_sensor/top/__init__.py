"""The live view for a terminal: what is read, what is chosen, how it is laid out and drawn."""
