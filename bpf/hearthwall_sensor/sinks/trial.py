"""A message that only says that it is a test, in the form of an event: no event has its number."""

import time
from typing import Final

from ..kinds import Severity
from ..protocol import Event

NUMBER: Final = 0
KIND: Final = "test"
#: Seconds that it may take: who asked for it waits for the answer.
PATIENCE: Final = 8.0


def event(severity: Severity) -> Event:
    """Return it, grave enough for who gets it."""
    return Event(
        seq=NUMBER,
        time=round(time.time(), 3),
        kind=KIND,
        severity=severity,
        mac=None,
        address=None,
        peer_address=None,
        peer_name=None,
        process=None,
        summary="This is a test: events of Hearthwall arrive here",
        evidence={},
    )
