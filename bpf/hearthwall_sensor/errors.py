"""What can go wrong, by code: the same table for the wire, the command line and Home Assistant."""

from collections.abc import Mapping
from typing import Final

ERRORS: Final[Mapping[str, str]] = {
    "invalid_message": "the message is not a JSON object with the fields of its type",
    "message_too_large": "the message is too long",
    "unknown_command": "no command has this name",
    "unsupported_schema": "sensor and client have no schema in common",
    "not_initialized": "the first message must be initialize",
    "invalid_target": "the target is neither a MAC, an IP address, a prefix nor a domain",
    "invalid_duration": "the duration is not a positive time such as 90s, 10m, 2h or 7d",
    "invalid_mode": "this mode does not fit the target or the rest of the order",
    "protected_target": "this target must stay reachable",
    "not_found": "there is no such rule",
    "several_rules": "there are several rules on this target",
    "table_full": "the kernel's table of rules is full",
    "invalid_feed": "the feed's name, source, format or interval makes no sense",
    "invalid_policy": "the policy says something that makes no sense",
    "feed_failed": "the list could not be read, so the last good one stays in force",
    "unknown_interface": "there is no such interface",
    "interface_in_use": "another sensor guards this interface",
    "already_running": "a sensor already listens on this socket",
    "not_running": "no sensor listens on this socket",
    "not_permitted": "this user may not talk to the sensor",
    "unauthorised": "the sensor does not know this token, or it is good for metrics only",
    "read_only": "this token may only read; who may give orders has one whose role is operate",
    "wrong_code": "the sensor does not know this code",
    "no_code": "no code is waiting: `hearthwall-sensor pair` makes one, which holds for some minutes and once",
    "code_burnt": "wrong codes were tried too often, so the right one does not hold any more: make another",
    "interfered": "somebody stands between both sides, or what answers is not the sensor that showed the code",
    "unreachable": "nothing answers at this address",
    "too_many_clients": "the sensor serves as many clients as it may, in all or by this token",
    "wrong_certificate": "what answers at this address has another certificate",
    "unsafe_files": "the sensor's files can be changed by someone other than root",
    "missing_capability": "this host lacks something that the sensor needs",
    "kernel_refused": "the kernel refused what was asked of it",
    "newer_state": "a newer version wrote this state, which this one does not understand and leaves alone",
    "storage_failed": "the state could not be written to disk, so nothing was changed",
    "timeout": "the sensor did not answer in time",
    "invalid_mud": "the file is no Manufacturer Usage Description that can be used",
    "internal": "the sensor failed; its log says where",
}


class SensorError(Exception):
    """A failure with a code of `ERRORS`, as it crosses the wire."""

    #: What a command that ends by it has for an exit status.
    exit_status = 1

    def __init__(self, code: str, message: str | None = None) -> None:
        """Take a code and, where there is more to say than the table does, a message."""
        if code not in ERRORS:
            code, message = "internal", f"{code}: {message}"
        super().__init__(message or ERRORS[code])
        self.code = code
        self.message = message or ERRORS[code]

    def to_wire(self) -> dict[str, str]:
        """Return the error as the object that `--json` and error messages carry."""
        return {"code": self.code, "message": self.message}


#: What is said to whoever asks for processes where none are watched.
NOT_WATCHED = (
    "processes are not watched here: `check` says what this kernel lacks for it, and"
    " `run --cgroup none` leaves it out"
)
