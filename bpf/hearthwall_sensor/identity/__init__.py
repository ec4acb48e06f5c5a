"""Who the devices are: addresses, names, makers."""
