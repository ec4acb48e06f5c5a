"""The commands of the sensor, and how their results are shown to people."""
