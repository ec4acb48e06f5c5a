"""What there is to tell before it is an event of the journal: without a number, and perhaps one of many alike."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .kinds import KINDS, EventKind, Severity
from .processes.image import PROGRAM


def whose(mac: str | None, process: str | None, address: str | None) -> str:
    """Return whom something is about, as observations and policies name it: a device, a program, or an address."""
    if mac is not None:
        return mac
    return address or "" if process is None else PROGRAM + process


@dataclass(frozen=True, slots=True)
class Notice:
    """An event before it has a number.

    `subject` is what it is about beside the device, such as `tcp/23` or `domain example.com`: two notices of one
    kind, device and subject are one event that happened twice, and who accepts the event accepts the subject.
    `technique` is MITRE ATT&CK's where the kind's does not fit, and empty where none does.
    `time` is when it happened (seconds since the epoch), None for now. `process` is a program of this host, by the
    path of its executable and `@` with its container's id if it is in one.
    """

    kind: EventKind
    severity: Severity
    summary: str
    evidence: Mapping[str, Any]
    mac: str | None = None
    address: str | None = None
    peer_address: str | None = None
    peer_name: str | None = None
    subject: str = ""
    time: float | None = field(default=None, compare=False)
    technique: str | None = None
    process: str | None = None

    @property
    def who(self) -> str:
        """Whom it is about."""
        return whose(self.mac, self.process, self.address)

    @property
    def fitting_technique(self) -> str | None:
        """The technique of MITRE ATT&CK that fits: its own, else that of its kind."""
        return KINDS[self.kind].technique if self.technique is None else self.technique or None
