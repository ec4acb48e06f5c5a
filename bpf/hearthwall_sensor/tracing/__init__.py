"""System calls of this host's processes: what patterns are told of, and what somebody watches live."""
