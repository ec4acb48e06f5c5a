"""Measurements, one command each. Goals live here and not in tests: a busy machine is no fault of the code."""
