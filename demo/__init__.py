"""The demo: the lab's home with Home Assistant on its gateway, to be looked at or to be checked by itself."""
