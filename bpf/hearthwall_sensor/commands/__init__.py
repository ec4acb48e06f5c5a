"""The commands of the sensor."""
