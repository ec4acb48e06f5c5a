"""The types of sinks: what reads the options of each, and what makes it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from ..kinds import Severity
from . import smtp
from .file import FileOptions, FileSink
from .journald import JournaldOptions, JournaldSink
from .mqtt import MqttOptions, MqttSink
from .sink import Pace, Sink, SinkContext
from .smtp import SmtpOptions, SmtpSink
from .syslog import SyslogOptions, SyslogSink
from .table import Table
from .webhook import WebhookOptions, WebhookSink

#: Whether a sink's receiver is a part of this host, or a stranger: no process talks to strangers that may write here.
Where = Literal["here", "elsewhere"]


@dataclass(frozen=True, slots=True)
class Kind:
    """One type of sinks. Its module imports libraries when a sink starts, not before."""

    read: Callable[[Table], Any]
    """Takes the type's own options; raises SensorError."""
    make: Callable[[Any, SinkContext], Sink]
    severity: Severity = "info"
    """The least severity that is delivered if nothing is said."""
    pace: Callable[[Any], Pace] = lambda _: Pace()
    """Takes the type's own options."""
    where: Where = "elsewhere"


KINDS: Final[Mapping[str, Kind]] = {
    "file": Kind(FileOptions.read, FileSink, where="here"),
    "journald": Kind(JournaldOptions.read, JournaldSink, where="here"),
    "syslog": Kind(SyslogOptions.read, SyslogSink),
    "mqtt": Kind(MqttOptions.read, MqttSink),
    # One at a time: what was taken must not be posted again because the next one was not.
    "webhook": Kind(WebhookOptions.read, WebhookSink, "high", lambda _: Pace(at_once=1)),
    "smtp": Kind(
        SmtpOptions.read, SmtpSink, "high", lambda options: Pace(smtp.AT_ONCE, options.every)
    ),
}
