"""What can be wrong with a gateway, told from how its sensor fares: a table of looks at it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from awesomeversion import AwesomeVersion
from awesomeversion.exceptions import AwesomeVersionException
from homeassistant.config_entries import ConfigEntry
from homeassistant.helpers import issue_registry as ir

from .bpf.hearthwall_sensor import __version__
from .bpf.hearthwall_sensor.protocol import (
    MAX_SCHEMA,
    MIN_SCHEMA,
    Hello,
    SensorError,
    Status,
    UnsupportedSchemaError,
)
from .connection import guarded_interfaces
from .const import CONF_FINGERPRINT, CONF_INTERFACES, CONF_WAN
from .hostile import plain, quoted_lines
from .issues import ISSUE_STATE_DAMAGED, LEARN_MORE_UPGRADE, Problem
from .process import ProcessError

# Why there is no connection
ISSUE_NOT_RUNNING: Final = "sensor_not_running"
ISSUE_UNREACHABLE: Final = "sensor_unreachable"
ISSUE_CERTIFICATE: Final = "wrong_certificate"
ISSUE_PART_MISSING: Final = "part_missing"
ISSUE_OLDER: Final = "sensor_older"
ISSUE_NEWER: Final = "sensor_newer"
ISSUE_INTERFACE_GONE: Final = "interface_gone"
# What a sensor that runs tells of itself
ISSUE_SLOW_XDP: Final = "xdp_not_native"
ISSUE_CLOCK_WRONG: Final = "clock_wrong"
ISSUE_CLOCK_JUMPS: Final = "clock_jumps"
ISSUE_POLICY_UNREADABLE: Final = "policy_unreadable"
ISSUE_EVENTS_LOST: Final = "events_lost"

CONNECTION_ISSUES: Final = frozenset(
    {
        ISSUE_NOT_RUNNING,
        ISSUE_UNREACHABLE,
        ISSUE_CERTIFICATE,
        ISSUE_PART_MISSING,
        ISSUE_OLDER,
        ISSUE_NEWER,
        ISSUE_INTERFACE_GONE,
    }
)
STATUS_ISSUES: Final = frozenset(
    {
        ISSUE_OLDER,
        ISSUE_NEWER,
        ISSUE_INTERFACE_GONE,
        ISSUE_SLOW_XDP,
        ISSUE_STATE_DAMAGED,
        ISSUE_CLOCK_WRONG,
        ISSUE_CLOCK_JUMPS,
        ISSUE_POLICY_UNREADABLE,
        ISSUE_EVENTS_LOST,
    }
)

#: A gateway may restart, and a cable be put elsewhere, without anyone being told.
OUTAGE_PATIENCE: Final = 120.0
INTERFACE_PATIENCE: Final = 60.0
#: Events, rules and totals of the day go by the clock: so far apart may both sides be, in seconds.
CLOCK_TOLERANCE: Final = 5.0
#: A look that met a busy moment is not enough.
CLOCK_PATIENCE: Final = 30.0

#: Codes of failures by what has to be done about them, where that is not starting the sensor.
OF_PACKAGES: Final = frozenset({"missing_capability", "python_missing"})
_MINE: Final = Hello(__version__, MIN_SCHEMA, MAX_SCHEMA)
#: What its user is asked about in another way: Home Assistant asks for another token.
_ASKED_ELSEWHERE: Final = "unauthorised"
#: XDP's modes in which a packet has come a long way before it is dropped.
_SLOW_MODES: Final = frozenset({"generic", "unavailable"})


@dataclass(frozen=True, slots=True)
class Look:
    """A gateway at one moment, with what only someone who looks again and again can tell."""

    entry: ConfigEntry
    status: Status
    clock_offset: float | None = None
    """How far the gateway's clock is ahead, beyond what the way there leaves open; None if unknown."""
    slow_interfaces: Mapping[str, str] = field(default_factory=dict)
    """Interfaces that were seen to have no native XDP, with the mode."""
    clock_jumps: int = 0
    """How often the gateway's clock was set, by more than is tolerated, in the last day."""
    events_lost: int = 0
    """Events that were lost in the last hour."""


def is_ours(entry: ConfigEntry) -> bool:
    """Tell whether an entry's sensor is Home Assistant's to run."""
    return CONF_INTERFACES in entry.data


def connection_problem(
    entry: ConfigEntry, error: SensorError, last_words: Iterable[str], parts: str = ""
) -> Problem | None:
    """Return what the user of an entry whose sensor can't be spoken with has to be told."""
    if error.code == _ASKED_ELSEWHERE:
        return None
    said = {
        "gateway": plain(entry.title),
        "message": plain(error.message),
    }
    if isinstance(error, UnsupportedSchemaError):
        key = ISSUE_NEWER if error.is_sensor_newer else ISSUE_OLDER
        its = f"{plain(error.hello.version, 40)} ({_schemas(error.hello)})"
        mine = f"{__version__} ({_schemas(_MINE)})"
        return Problem(key, placeholders=said | _versions(mine, its))
    if error.code in OF_PACKAGES:
        return Problem(ISSUE_PART_MISSING, placeholders=said | {"parts": parts or said["message"]})
    if error.code == ISSUE_CERTIFICATE:
        return Problem(
            ISSUE_CERTIFICATE,
            placeholders=said | _fingerprints(entry, error),
            is_fixable=False,
            severity=ir.IssueSeverity.ERROR,
        )
    if not is_ours(entry):
        return Problem(
            ISSUE_UNREACHABLE,
            placeholders=said,
            patience=OUTAGE_PATIENCE,
            severity=ir.IssueSeverity.ERROR,
        )
    words = tuple(last_words)
    if isinstance(error, ProcessError) and error.detail in words:  # which are told beside it
        said["message"] = error.sentence
    return Problem(
        ISSUE_NOT_RUNNING,
        placeholders=said | {"last_words": quoted_lines(words)},
        patience=OUTAGE_PATIENCE,
        severity=ir.IssueSeverity.ERROR,
    )


def _fingerprints(entry: ConfigEntry, error: SensorError) -> dict[str, str]:
    """Return the fingerprint that answered and the one that was to answer."""
    digits = entry.data.get(CONF_FINGERPRINT, "")
    return {
        "found": plain(error.message.partition(" ")[0], 95),
        "expected": ":".join(digits[at : at + 2] for at in range(0, len(digits), 2)).upper(),
    }


def status_problems(look: Look) -> Iterator[Problem]:
    """Yield what is wrong with a gateway whose sensor runs."""
    for find in _LOOKS:
        for problem in find(look):
            said = {"gateway": plain(look.entry.title)}
            yield replace(problem, placeholders=said | dict(problem.placeholders))


def _schemas(hello: Hello) -> str:
    """Return which schemas a side speaks."""
    return f"schemas {hello.min_schema} to {hello.max_schema}"


def _version(look: Look) -> Iterator[Problem]:
    """Yield that one of both is older: what the other has learnt, it does not know."""
    try:
        its, mine = AwesomeVersion(look.status.version), AwesomeVersion(__version__)
        if its == mine:
            return
        key = ISSUE_OLDER if its < mine else ISSUE_NEWER
    except AwesomeVersionException:
        return  # somebody's own build: its schema is known to fit
    yield Problem(key, placeholders=_versions(__version__, plain(look.status.version, 40)))


def _versions(mine: str, its: str) -> dict[str, str]:
    """Return what is said of two that are not of the same version."""
    return {"mine": mine, "its": its, "documents": LEARN_MORE_UPGRADE}


def _interfaces(look: Look) -> Iterator[Problem]:
    """Yield what is to be guarded and not there; somebody else's sensor must guard something."""
    wanted = {
        *((name, "lan") for name in look.entry.data.get(CONF_INTERFACES, ())),
        *((name, "wan") for name in look.entry.data.get(CONF_WAN, ())),
    }
    guarded = {(name, role) for role in _ROLES for name in guarded_interfaces(look.status, role)}
    gone = sorted(name for name, _ in wanted - guarded)
    if not is_ours(look.entry) and not look.status.interfaces:
        gone = ["*"]
    for name in gone:
        yield Problem(
            ISSUE_INTERFACE_GONE,
            plain(name, 40),
            {"interface": plain(name, 40)},
            INTERFACE_PATIENCE,
            severity=ir.IssueSeverity.ERROR,
        )


def _xdp(look: Look) -> Iterator[Problem]:
    """Yield interfaces on which a dropped packet costs more than it need."""
    for name, mode in sorted(look.slow_interfaces.items()):
        shown = plain(name, 40)
        yield Problem(ISSUE_SLOW_XDP, shown, {"interface": shown, "mode": mode}, is_fixable=False)


def _damage(look: Look) -> Iterator[Problem]:
    """Yield the state files that had to be begun anew."""
    if look.status.damaged:
        files = ", ".join(plain(each, 40) for each in look.status.damaged)
        yield Problem(ISSUE_STATE_DAMAGED, placeholders={"files": files})


def _clock(look: Look) -> Iterator[Problem]:
    """Yield a clock that shows another time than Home Assistant's, or is set again and again."""
    if look.clock_offset is not None and abs(look.clock_offset) > CLOCK_TOLERANCE:
        said = {"seconds": f"{abs(look.clock_offset):.0f}", "sign": _sign(look.clock_offset)}
        yield Problem(ISSUE_CLOCK_WRONG, placeholders=said, patience=CLOCK_PATIENCE)
    if look.clock_jumps > 1:  # once is a clock that was set after the start
        yield Problem(
            ISSUE_CLOCK_JUMPS, placeholders={"count": str(look.clock_jumps)}, is_fixable=False
        )


def _policy(look: Look) -> Iterator[Problem]:
    """Yield that the policy can't be read: what it said before holds."""
    if look.status.policy_problem is not None:
        said = {"message": plain(look.status.policy_problem)}
        yield Problem(ISSUE_POLICY_UNREADABLE, placeholders=said)


def _events(look: Look) -> Iterator[Problem]:
    """Yield that events found no room on the disk."""
    if look.events_lost:
        said = {"count": str(look.events_lost)}
        yield Problem(
            ISSUE_EVENTS_LOST,
            placeholders=said,
            is_fixable=False,
            severity=ir.IssueSeverity.ERROR,
        )


_ROLES: Final[tuple[Any, ...]] = ("lan", "wan")
_LOOKS: Final[tuple[Callable[[Look], Iterator[Problem]], ...]] = (
    _version,
    _interfaces,
    _xdp,
    _damage,
    _clock,
    _policy,
    _events,
)


def slow_interfaces(before: Mapping[str, str], status: Status) -> dict[str, str]:
    """Return the interfaces known to have no native XDP: while no rule needs it, nobody can tell."""
    after = {}
    for each in status.interfaces:
        if each.xdp in _SLOW_MODES:
            after[each.name] = each.xdp
        elif each.xdp == "off" and each.name in before:
            after[each.name] = before[each.name]
    return after


def _sign(offset: float) -> str:
    """Return + for a clock that is ahead."""
    return "+" if offset > 0 else "-"
