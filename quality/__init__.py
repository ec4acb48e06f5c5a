"""Holds the integration against each rule of Home Assistant's quality scale, bronze to platinum."""
