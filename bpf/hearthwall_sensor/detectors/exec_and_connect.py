"""Programs that were just put on this host, are run, and talk to somebody."""

from ..patterns.detector import PatternDetector


class ExecAndConnect(PatternDetector):
    """Follows the patterns of what is written, run and connects."""

    kind = "exec_and_connect"
