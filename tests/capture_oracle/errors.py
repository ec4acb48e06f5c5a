"""What keeps the oracle from comparing."""


class OracleError(Exception):
    """No comparison came about; the message says why, and what to do."""
