"""OpenMetrics: what a Prometheus may ask of a sensor, and nothing that says with whom a home talks."""
