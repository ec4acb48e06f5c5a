"""What can go wrong in the demo, as one sentence for a person."""


class DemoError(Exception):
    """Something that the demo needs is not to be had; says what and what to do."""
