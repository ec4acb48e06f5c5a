"""Whether an order makes sense: its fields against the tables of modes, with a sentence where it does not."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from ..modes import (
    ALLOWANCES,
    AUDITABLE,
    FIELDS,
    MAX_BYTES_PER_SECOND,
    MAX_PACKETS_PER_SECOND,
    MAX_PEERS,
    MIN_BYTES_PER_SECOND,
    MIN_PACKETS_PER_SECOND,
    TERMS,
    Allowance,
    Mode,
)
from ..protocol import MAX_REASON, SensorError
from ..requests import AddBlock
from ..targets import PROCESS_KINDS, Target, check_duration, parse_peer
from .rule import as_network

#: Field → least and most.
_BOUNDS: Final = {
    "bytes_per_second": (MIN_BYTES_PER_SECOND, MAX_BYTES_PER_SECOND),
    "packets_per_second": (MIN_PACKETS_PER_SECOND, MAX_PACKETS_PER_SECOND),
    "port": (1, 65535),
}
#: Field → what it is without an order, and why a rule on processes takes nothing else.
_NOT_FOR_PROCESSES: Final[Mapping[str, tuple[object, str]]] = {
    "transport": (None, "a rule on processes is for all of their traffic: leave --transport away"),
    "port": (None, "a rule on processes is for all of their traffic: leave --port away"),
    "direction": ("any", "a process is judged where it talks: leave --direction away"),
}


@dataclass(frozen=True, slots=True)
class Agreed:
    """What an order leaves to its mode or writes in a person's way, as the rule will have it."""

    allow: tuple[Allowance, ...]
    peers: tuple[str, ...]
    audits: Mode | None


def check(order: AddBlock, target: Target) -> Agreed:
    """Return what was agreed on; raises SensorError with what to do about an order that makes no sense."""
    audits = (order.audits or "isolate") if order.mode == "audit" else None
    _check_words(order)
    _check_fields(order, audits)
    _check_bounds(order)
    _check_service(order)
    if target.kind == "domain":
        _check_domain(order, audits)
    if target.kind in PROCESS_KINDS:
        _check_process(order, audits)
    elif order.children:
        raise _invalid("only processes have children: leave --children away")
    if target.kind == "mac" and order.direction == "from_wan":
        raise _invalid("a MAC is seen on the home's side only: leave --direction from_wan away")
    return Agreed(_allowances(order, target, audits), _peers(order.peers), audits)


def check_place(order: AddBlock, target: Target, is_home: Callable[[str], bool]) -> None:
    """Raise SensorError if a mode for hosts of the home is ordered for a host of the internet."""
    mode = order.audits if order.mode == "audit" and order.audits else order.mode
    if target.kind in ("mac", *PROCESS_KINDS) or not TERMS[mode].home_only or is_home(target.value):
        return
    raise _invalid(f"{mode} is for hosts of the home, not for {target.value}: use isolate")


def _invalid(sentence: str) -> SensorError:
    """Return the error of an order whose parts do not go together."""
    return SensorError("invalid_mode", sentence)


def _check_words(order: AddBlock) -> None:
    """Raise SensorError if an order's times or words make no sense."""
    for seconds in (order.duration, order.confirm_within):
        if seconds is not None:
            check_duration(seconds)
    if len(order.reason) > MAX_REASON or not order.reason.isprintable():
        raise SensorError(
            "invalid_message", f"a reason is at most {MAX_REASON} printable characters"
        )


def _check_fields(order: AddBlock, audits: Mode | None) -> None:
    """Raise SensorError if a field is missing that the mode needs, or is there that it does not take."""
    if audits is not None and audits not in AUDITABLE:
        raise _invalid(f"audit counts for {', '.join(AUDITABLE)}, not for {audits}")
    modes: tuple[Mode, ...] = (order.mode,) if audits is None else (order.mode, audits)
    taken = [field for mode in modes for field in TERMS[mode].fields]
    for field in FIELDS:
        if getattr(order, field) not in (None, ()) and field not in taken:
            takers = " and ".join(mode for mode, terms in TERMS.items() if field in terms.fields)
            raise _invalid(f"{order.mode} takes no {field}: that is for {takers}")
    for mode in modes:
        terms = TERMS[mode]
        given = any(getattr(order, field) not in (None, ()) for field in terms.fields)
        if terms.fields and terms.needs and not given:
            needed = " or ".join(f"{field} ({FIELDS[field]})" for field in terms.fields)
            raise _invalid(f"{mode} needs {needed}")


def _check_bounds(order: AddBlock) -> None:
    """Raise SensorError if a number is out of its bounds."""
    for field, (least, most) in _BOUNDS.items():
        value = getattr(order, field)
        if value is not None and not least <= value <= most:
            raise _invalid(f"{field} is from {least:,} to {most:,}, not {value}")


def _check_service(order: AddBlock) -> None:
    """Raise SensorError if transport and port do not go together."""
    if order.transport == "icmp" and order.port is not None:
        raise _invalid("icmp has no ports: leave --port away, or choose tcp or udp")


def _check_domain(order: AddBlock, audits: Mode | None) -> None:
    """Raise SensorError for what a domain does not take: it stands for addresses that come and go."""
    if not TERMS[order.mode].domains or audits not in (None, "isolate"):
        raise _invalid("a domain takes isolate and audit of isolate only")
    if order.transport is not None or order.port is not None:
        raise _invalid(
            "a rule on a domain is for all of its traffic: leave transport and port away"
        )
    if order.direction == "from_wan":
        raise _invalid("a domain is judged at the device that asks for it: not from_wan")
    if order.allow:
        raise _invalid("a rule on a domain lets nothing through: leave allow away")


def _check_process(order: AddBlock, audits: Mode | None) -> None:
    """Raise SensorError for what a rule on processes does not take."""
    if not TERMS[audits or order.mode].processes:
        raise _invalid(
            f"{audits or order.mode} is for devices and addresses: processes take isolate,"
            " allow_only, and audit of either"
        )
    for field, (absent, sentence) in _NOT_FOR_PROCESSES.items():
        if getattr(order, field) != absent:
            raise _invalid(sentence)
    if order.allow:
        raise _invalid("a rule on processes lets nothing but its peers through: leave allow away")
    if any(as_network(peer) is None for peer in _peers(order.peers)):
        raise _invalid(
            "a process's peers are addresses and prefixes: what a name stands for is not learnt here"
        )


def _allowances(order: AddBlock, target: Target, audits: Mode | None) -> tuple[Allowance, ...]:
    """Return what a rule lets through: what the order says, else what its mode usually allows."""
    if order.allow is not None:
        return tuple(each for each in ALLOWANCES if each in order.allow)
    if (
        target.kind in ("domain", *PROCESS_KINDS)
        or order.transport is not None
        or order.port is not None
    ):
        return ()
    return TERMS[audits or order.mode].allow


def _peers(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Return peers in their canonical form, none of them twice."""
    peers = tuple(dict.fromkeys(parse_peer(text) for text in texts))
    if len(peers) > MAX_PEERS:
        raise _invalid(f"a rule names at most {MAX_PEERS} peers: use prefixes for more")
    return peers
