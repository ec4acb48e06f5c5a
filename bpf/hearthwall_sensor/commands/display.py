"""The commands' results for people: plain text, nothing that a device or a peer wrote reaches the terminal raw."""

import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from ..words.amounts import ago, size, span
from ..words.cells import clean, table
from ..words.wrapping import wrapped


def check(report: dict[str, Any]) -> str:
    """Show a capability report."""
    rows = [(_mark(each), each["name"], each["detail"]) for each in report["parts"]]
    text = [
        f"Linux {report['kernel']} on {report['machine']}; kernel headers: {report['headers']}",
        "",
        table(("", "part", "found"), rows),
    ]
    for each in report["parts"]:
        if not each["ok"] and each["known"]:
            text += ["", f"{each['name']}: {each['lost']}.", f"  To get it: {each['fix']}"]
    interfaces = [
        (
            each["name"],
            each["kind"],
            each["bridge"] or "",
            each["xdp"],
            ", ".join(each["addresses"]),
            ", ".join(each["foreign"]),
            "<- proposed" if each["proposed"] else "",
        )
        for each in report["interfaces"]
    ]
    text += [
        "",
        table(
            ("interface", "kind", "bridge", "XDP", "addresses", "programs of others", ""),
            interfaces,
        ),
        "",
    ]
    text.append(_verdict(report))
    return "\n".join(text)


def _mark(part: dict[str, Any]) -> str:
    """Return whether a part is there, loudly if the sensor needs what is missing."""
    if not part["known"]:
        return "?"
    if part["ok"]:
        return "ok"
    return "MISSING" if part["required"] else "missing"


def _verdict(report: dict[str, Any]) -> str:
    """Return whether the sensor can run here, as far as that is known."""
    if report["ok"]:
        return "The sensor can run here."
    is_known = all(each["known"] for each in report["parts"])
    needed = (each for each in report["parts"] if each["required"] and each["known"])
    if not is_known and all(each["ok"] or each["name"] == "root" for each in needed):
        return (
            "Only root can find out whether the sensor can run here: say sudo before the command."
        )
    return "The sensor can't run here yet."


def status(wire: dict[str, Any]) -> str:
    """Show how the sensor fares."""
    interfaces = [
        (
            each["name"],
            each["bridge"] or "",
            each["role"],
            each["xdp"],
            each["tc"],
            ", ".join(each["foreign"]),
        )
        for each in wire["interfaces"]
    ]
    return "\n".join(
        (
            f"hearthwall-sensor {wire['version']}, pid {wire['pid']}, up {span(wire['uptime_s'])},"
            f" {size(wire['resident_bytes'])} of memory",
            *_id(wire),
            f"devices: {wire['devices']}, rules: {wire['rules']}, clients: {wire['clients']}",
            "dropped: "
            + ", ".join(
                f"{name.removeprefix('dropped_')} {count}"
                for name, count in wire["dropped"].items()
            ),
            "lost: "
            + (
                ", ".join(
                    f"{name.replace('_', ' ')} {count}"
                    for name, count in wire["lost"].items()
                    if count
                )
                or "nothing"
            ),
            *_processes(wire),
            *_remote(wire),
            *_sinks(wire),
            *_problem(wire.get("policy_problem")),
            "",
            table(("interface", "bridge", "role", "XDP", "tc", "programs of others"), interfaces),
        )
    )


def _id(wire: dict[str, Any]) -> list[str]:
    """Return who the sensor is, as its messages to others name it."""
    return [] if wire.get("id") is None else [f"id: {clean(wire['id'])}"]


def _processes(wire: dict[str, Any]) -> list[str]:
    """Return whether processes are watched, and what is missing for that."""
    ways = [each for each in ("cgroup hooks", "tracepoints") if each in wire["capabilities"]]
    missing = wire.get("missing", {})
    return [
        "processes: " + (f"watched by {' and '.join(ways)}" if ways else "not watched"),
        *(wrapped(clean(f"missing: {name}: {why}")) for name, why in missing.items()),
    ]


def _remote(wire: dict[str, Any]) -> list[str]:
    """Return where other hosts reach the sensor."""
    if wire.get("listening") is None:
        return []
    return [f"listening: {wire['listening']}, turned away: {wire['turned_away']}"]


def _sinks(wire: dict[str, Any]) -> list[str]:
    """Return how many sinks there are, and which fail."""
    sinks = wire.get("sinks", [])
    if not sinks:
        return []
    failing = [clean(each["name"]) for each in sinks if each["failing_since"] is not None]
    return [f"sinks: {len(sinks)}" + (f", failing: {', '.join(failing)}" if failing else "")]


def _problem(policy: str | None) -> list[str]:
    """Return what is to be said of a policy that can't be read."""
    if policy is None:
        return []
    return [wrapped(f"policy: {policy}. What it said before holds until that is mended.")]


def blocks(wires: list[dict[str, Any]]) -> str:
    """Show the rules."""
    rows = [
        (
            str(each["id"]),
            each["target"],
            _service(each),
            each["mode"],
            ", ".join(_details(each)),
            _remaining(each),
            str(each["packets"]),
            size(each["bytes"]),
            ago(each["last_hit"]),
            each["reason"],
        )
        for each in wires
    ]
    heads = (
        "id",
        "target",
        "service",
        "mode",
        "details",
        "ends",
        "packets",
        "bytes",
        "last hit",
        "reason",
    )
    return table(heads, rows) if rows else "No rule is in force."


def _service(wire: dict[str, Any]) -> str:
    """Return transport and port of a rule."""
    return " ".join(str(wire[each]) for each in ("transport", "port") if wire[each] is not None)


def _whom(wire: dict[str, Any]) -> str:
    """Return a rule's target and service."""
    targets = " and ".join((wire["target"], *wire.get("also_on", ())))
    return f"{targets} {_service(wire)}".strip()


def _some(texts: Sequence[str]) -> str:
    """Return the first few of a list, and how many more there are."""
    more = f" and {len(texts) - 3} more" if len(texts) > 3 else ""
    return " ".join(texts[:3]) + more


#: Field of a rule → what is said of it where it is not what it usually is.
_DETAILS: Final[tuple[tuple[str, object, Callable[[Any], str]], ...]] = (
    ("audits", None, lambda mode: f"of {mode}"),
    ("direction", "any", str),
    ("bytes_per_second", None, lambda rate: f"{size(rate)}/s"),
    ("packets_per_second", None, lambda rate: f"{rate} packets/s"),
    ("redirect_to", None, lambda interface: f"to {interface}"),
    ("peers", [], lambda peers: f"peers {_some(peers)}"),
    ("allow", [], lambda allowed: f"allows {' '.join(allowed)}"),
    ("children", False, lambda _: "with what they start"),
    ("enforced", True, lambda _: "NOT ENFORCED: nothing watches processes here"),
    ("program", None, lambda path: f"of {path}"),
    ("asked", None, lambda name: f"named by the link {name}"),
    ("addresses", [], lambda addresses: f"resolved to {_some(addresses)}"),
)


def _details(wire: dict[str, Any]) -> list[str]:
    """Return what a rule says beyond its mode, a phrase each."""
    return [
        phrase(wire[field])
        for field, usual, phrase in _DETAILS
        if wire.get(field, usual) not in (usual, ())
    ]


def _remaining(wire: dict[str, Any]) -> str:
    """Return when a rule ends."""
    if wire["confirm_by"] is not None:
        return f"in {span(wire['confirm_by'] - time.time())} unless confirmed"
    return "never" if wire["expires"] is None else f"in {span(wire['expires'] - time.time())}"


def block(wire: dict[str, Any]) -> str:
    """Show a rule that is now in force."""
    ends = _remaining(wire)
    words = [wire["mode"], *_details(wire), *([] if ends == "never" else [f"ends {ends}"])]
    yet = "" if wire.get("is_there", True) else " There is no such file yet."
    return clean(
        f"In force on {_whom(wire)}: {', '.join(words)}.{yet} To end it: unblock {wire['id']}"
    )


def unblocked(wires: dict[str, Any] | list[dict[str, Any]]) -> str:
    """Show the rules that have ended."""
    return "\n".join(
        clean(
            f"Ended on {_whom(each)}: {each['mode']}, after {each['packets']} packets,"
            f" {size(each['bytes'])}."
        )
        for each in (wires if isinstance(wires, list) else [wires])
    )


def feeds(wires: list[dict[str, Any]]) -> str:
    """Show the feeds."""
    rows = [
        (
            each["name"],
            each["action"],
            each["format"],
            str(each["addresses"]),
            str(each["domains"]),
            str(each["invalid"]),
            str(each["subtracted"]),
            ago(each["updated"]),
            str(each["packets"]),
            ago(each["last_hit"]),
            each["last_error"] or "",
        )
        for each in wires
    ]
    heads = (
        "name",
        "action",
        "format",
        "addresses",
        "domains",
        "invalid",
        "taken out",
        "read",
        "packets",
        "last hit",
        "error",
    )
    return table(heads, rows) if rows else "There is no feed; `feed NAME SOURCE` subscribes to one."


def unfed(wire: dict[str, Any]) -> str:
    """Show a feed that has ended."""
    return f"Ended: {clean(wire['name'])}, after {wire['packets']} packets. Its list is forgotten."


def feed(wire: dict[str, Any]) -> str:
    """Show one feed and what was taken out of it."""
    taken = (f"Taken out: {clean(each)}" for each in wire["subtracted_examples"])
    return "\n".join((feeds([wire]), *taken))


def unloaded(wires: list[dict[str, Any]]) -> str:
    """Show what `unload` did."""
    lines = []
    for each in wires:
        if each["killed"]:
            lines.append(f"The sensor did not answer: its process, {each['killed']}, was killed.")
        if each["socket"] is None:
            names = ", ".join(each["interfaces"])
            lines.append(f"The programs of a sensor that is not known here are off {names}.")
            continue
        if not each["found"]:
            lines.append(f"Nothing was loaded by way of {each['socket']}.")
            continue
        lines.append(f"The sensor on {each['socket']} and its rules are out of the kernel.")
        if each["interfaces"]:
            lines.append(
                f"  Without pins, programs were found by their numbers on {', '.join(each['interfaces'])}."
            )
        if each["rules_kept"]:
            lines.append(
                f"  The rules are kept in {each['rules_kept']}: the next run puts them back."
            )
        elif each["rules_forgotten"]:
            lines.append("  The rules are forgotten.")
    if not wires:
        lines.append("There was nothing of Hearthwall in the kernel.")
    elif wires[-1]["others"]:
        lines.append(f"Still loaded: by way of {', '.join(wires[-1]['others'])}.")
    return "\n".join(lines)


def loaded(wire: dict[str, Any]) -> str:
    """Show what `load` did."""
    made = "Found compiled" if wire["from_cache"] else f"Compiled by bcc {wire['bcc']}"
    lines = [f"{made} in {wire['compile_ms']} ms, loaded in {wire['load_ms']} ms."]
    lines += [f"Written: {each}" for each in wire.get("files", ())]
    return "\n".join(lines + [f"Note: {each}" for each in wire["doubts"]])
