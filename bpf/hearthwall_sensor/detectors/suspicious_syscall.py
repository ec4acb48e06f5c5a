"""Suspicious system calls: a shell on a connection, a raw socket, a hold on another process."""

from ..patterns.detector import PatternDetector


class SuspiciousSyscall(PatternDetector):
    """Follows the patterns of what intruders ask the kernel for."""

    kind = "suspicious_syscall"
