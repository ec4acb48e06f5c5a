"""Compares what `replay` finds in a capture with what tshark finds: the independent oracle."""
