"""The error that the lab shows to people: one sentence that says what to do."""


class LabError(Exception):
    """The lab cannot do what was asked of it."""
