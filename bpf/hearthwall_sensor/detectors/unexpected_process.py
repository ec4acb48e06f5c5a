"""Unexpected processes: programs that talk or listen for the first time, or from where none is installed."""

from ..patterns.detector import PatternDetector


class UnexpectedProcess(PatternDetector):
    """Follows the patterns of what no program did on this host before."""

    kind = "unexpected_process"
