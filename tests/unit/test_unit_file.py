"""The unit beside the document: what either of them says, the other one does, so that no line goes or is weakened."""

import re
from pathlib import Path
from typing import Final

from hearthwall_sensor.installation import unit
from hearthwall_sensor.installation.places import CONFIG, Places

ROOT: Final = Path(__file__).resolve().parents[2]
DOCUMENT: Final = (ROOT / "docs" / "install.md").read_text()
SECTION: Final = DOCUMENT.partition("## How the service behaves")[2]
PROGRAM: Final = Path("/program")
#: How it is started and found, which no reader has to know: all else is explained.
ORDINARY: Final = {
    *("Description", "Documentation", "DefaultDependencies", "Wants", "After", "Conflicts"),
    *("Type", "NotifyAccess", "ExecStartPre", "ExecStart", "TimeoutStopSec", "WantedBy"),
    *("RestartPreventExitStatus", "SuccessExitStatus", "KillMode", "SystemCallErrorNumber"),
    *("StateDirectory", "CacheDirectory", "LogsDirectory", "RuntimeDirectory"),
    *("AmbientCapabilities", "CapabilityBoundingSet"),  # of which there is another table
}
#: Whose values are lists: each has a test below.
LISTS: Final = {
    *("SystemCallFilter", "RestrictAddressFamilies", "RequiresMountsFor", "ReadWritePaths"),
    *("BindPaths", "BindReadOnlyPaths", "InaccessiblePaths"),
}
FAMILIES: Final = {
    "unix": "AF_UNIX",
    "IPv4": "AF_INET",
    "IPv6": "AF_INET6",
    "netlink": "AF_NETLINK",
}


def directives() -> dict[str, list[str]]:
    """Return the unit's directives, each with its words."""
    found: dict[str, list[str]] = {}
    for line in unit.text(PROGRAM).splitlines():
        name, is_one, value = line.partition("=")
        if is_one and not name.startswith("#"):
            found.setdefault(name, []).extend(re.split(r"[ ,]", value))
    return found


def named() -> dict[str, str]:
    """Return the directives that the document names, with the values that it gives them."""
    left_out = re.findall(r"\b(?:not|no) `([A-Z]\w+)=?`", SECTION)
    assert left_out == ["PrivateTmp", "User", "ProtectProc", "IPAddressDeny"]
    assert not set(left_out) & set(directives())
    found = re.findall(r"`([A-Z]\w*[a-z]\w*)(?:=([^`]*))?`", SECTION)
    return {name: value for name, value in found if name not in left_out}


def row(start: str) -> str:
    """Return what the document says of a directive in its table."""
    (found,) = re.findall(rf"^\| {re.escape(start)}[^|]*\| (.*) \|$", SECTION, re.MULTILINE)
    return str(found)


def test_the_unit_has_what_the_document_names() -> None:
    unit_has, says = directives(), named()
    assert len(says) > 40
    for name, value in says.items():
        if name not in LISTS:
            assert (value or "yes") in unit_has.get(name, []), name


def test_the_document_explains_what_the_unit_has() -> None:
    assert set(directives()) - ORDINARY == set(named())


def test_the_system_calls_are_those_of_the_document() -> None:
    said = row("`SystemCallFilter`")
    taken, _, not_taken = said.partition("; not ")
    words = directives()["SystemCallFilter"]
    (at,) = [number for number, each in enumerate(words) if each.startswith("~")]
    assert words[:at] == re.findall(r"`(\S+?)`", taken)
    out = {each.removeprefix("~") for each in words[at:]}
    # `ptrace` is no part of @system-service
    assert out | {"ptrace"} == set(re.findall(r"`(@?[a-z_]+)`", not_taken.partition(";")[0]))
    assert directives()["SystemCallErrorNumber"] == ["EPERM"]


def test_the_sockets_are_those_of_the_document() -> None:
    said = row("`RestrictAddressFamilies`").partition(";")[0].split(", ")
    assert directives()["RestrictAddressFamilies"] == [FAMILIES[each] for each in said]


def test_what_it_sees_and_may_write_to_is_what_the_document_says() -> None:
    found, places = directives(), Places()
    assert found["ReadWritePaths"] == ["-/sys/fs/bpf/hearthwall"]
    assert "`ReadWritePaths` to `/sys/fs/bpf/hearthwall`" in SECTION
    assert found["BindPaths"] == [str(places.run)]
    seen = row("`TemporaryFileSystem=/run:ro`")
    names = {Path(each).name for each in found["BindReadOnlyPaths"]}
    assert names == {"notify", "journal", "sessions", "utmp", "resolve", "resolvconf"} | {
        "NetworkManager"
    }
    assert all(each in seen for each in names)
    assert {Path(each).name for each in found["InaccessiblePaths"]} == {"lxd", "incus"}
    assert len(found["InaccessiblePaths"]) == 3
    mounts = [PROGRAM, CONFIG, Path("/var/lib/hearthwall"), places.cache]
    assert found["RequiresMountsFor"] == list(map(str, mounts))
    for folder in ("State", "Cache", "Logs", "Runtime"):
        assert found[f"{folder}Directory"] == ["hearthwall"]
    assert "ConfigurationDirectory" not in found, "what it may do is not its own to change"


def test_stopping_ends_the_process_only() -> None:
    found = directives()
    assert (found["KillMode"], found["Type"], found["NotifyAccess"]) == (
        ["mixed"],
        ["notify"],
        ["main"],
    )
    assert found["AmbientCapabilities"] == [""]


def test_it_guards_before_the_network_is_up() -> None:
    found = directives()
    assert found["DefaultDependencies"] == ["no"]
    assert found["Wants"] == ["network-pre.target"]
    mounts = {"local-fs.target", "sys-kernel-tracing.mount", "sys-fs-bpf.mount"}
    assert mounts | {"systemd-tmpfiles-setup.service"} <= set(found["After"])
    assert "shutdown.target" in found["Conflicts"]
    assert found["WantedBy"] == ["multi-user.target"]
    assert found["ExecStart"] == [str(PROGRAM), "run", "--config", str(CONFIG), "--wait"]


def test_what_it_is_to_see_is_made_before_it_starts() -> None:
    made = {each for each in directives()["ExecStartPre"] if each.startswith("/")}
    assert "/sys/fs/bpf/hearthwall" in made
    for folder in ("systemd/sessions", "systemd/resolve", "resolvconf", "NetworkManager"):
        assert f"-/run/{folder}" in directives()["BindReadOnlyPaths"]
        assert f"/proc/1/root/run/{folder}" in made
