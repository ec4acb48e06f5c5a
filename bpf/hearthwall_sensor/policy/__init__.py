"""The policy: what the user says of devices, in a file that people read and over the protocol."""
