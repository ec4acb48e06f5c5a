"""The host's network around the sensor: what is there, what is home, who must stay reachable."""
