"""Patterns of intrusions: the real sequence is told once, and what is only near to it is not."""

import dataclasses
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, strategies as st

from hearthwall_sensor.commands import alike
from hearthwall_sensor.detection import Consequences, Detection
from hearthwall_sensor.detectors import DETECTORS
from hearthwall_sensor.detectors.detector import Home
from hearthwall_sensor.learning.profile import Profile
from hearthwall_sensor.learning.profiles import Profiles
from hearthwall_sensor.learning.programs import GATEWAY
from hearthwall_sensor.notice import Notice
from hearthwall_sensor.observations import Look, Observation
from hearthwall_sensor.patterns.engine import FAIR_SHARE, MAX_WAITING, Engine
from hearthwall_sensor.patterns.reading import shipped
from hearthwall_sensor.patterns.standard_input import Input
from hearthwall_sensor.policy.policy import DevicePolicy
from tests.unit.observed import DAY, NOON, home
from tests.unit.processes import SHELL, SSHD, SYSTEMD, bound, called, connected, executed, image

CURL = image("/usr/bin/curl", SHELL)
DROPPED = image("/opt/x/load", SHELL)
NGINX = image("/usr/sbin/nginx", SYSTEMD, unit="nginx.service")
BACKUP = image("/usr/sbin/backupd", SYSTEMD, unit="backup.service")
CRON = image("/usr/sbin/cron", SYSTEMD, unit="cron.service")
DPKG = image("/usr/bin/dpkg", SHELL)
MEMFD = image("/memfd:x", SHELL, is_memfd=True, is_deleted=True)
OF_RUNC = image("/memfd:x", image("/usr/sbin/runc"), is_memfd=True, is_deleted=True)
LOADER = image("/usr/bin/perl", SHELL)
GONE = image("/dev/fd/3", LOADER, is_read=False)
PLAIN = image("/usr/bin/agent", SYSTEMD, unit="agent.service")
HOMELY = image("/home/ann/.cache/agent", SHELL)
WRITABLE = image("/dev/shm/.x", SHELL)
ATTACH, SEIZE, TRACEME = 16, 0x4206, 0
PACKET, INET, RAW, STREAM = 17, 2, 3, 1
CLOEXEC = 0o2000000


class Gateway:
    """A gateway that was learnt for a month, as a living sensor judges and learns it."""

    def __init__(self, *, since: float = NOON - 30 * DAY, settling: bool = False) -> None:
        self.policy = DevicePolicy()
        self.sockets: set[int] = set()
        self.profiles = Profiles([Profile(GATEWAY, since)], lambda _: self.policy)
        self.now = NOON
        self.told: list[Notice] = []
        known: Home = home(profile=lambda who: self.profiles.of(who, self.now), settling=settling)
        self.home = dataclasses.replace(
            known,
            policy=lambda _: self.policy,
            standard_input=lambda pid: Input(7) if pid in self.sockets else None,
        )
        self.detection = Detection(
            DETECTORS, self.home, Consequences(self.told.append, learn=self.profiles.learn)
        )

    def take(self, *observations: Observation) -> list[Notice]:
        """Return what is told of these."""
        self.told.clear()
        for each in observations:
            self.now = each.time
            self.detection.take(each)
        assert not self.detection.failed
        return list(self.told)

    def patterns(self, *observations: Observation) -> list[str]:
        """Return the patterns that are told."""
        return [each.evidence["pattern"] for each in self.take(*observations)]


def write(at: float = NOON, path: str = "/opt/x/load", by: Any = CURL) -> Observation:
    return called(by, "write", at, path=path)


def later(observations: Iterable[Any], seconds: float) -> list[Observation]:
    """Return the same, as it happens some time afterwards."""
    return [each._replace(time=each.time + seconds) for each in observations]


RUN: list[Observation] = [executed(DROPPED, NOON + 5), connected(DROPPED, at=NOON + 6)]
#: Each pattern's real sequence; whose standard input is a connection; and what is only near to it.
SEQUENCES: dict[str, list[Observation]] = {
    "dropped_and_run": [write(), executed(DROPPED, NOON + 5), connected(DROPPED, at=NOON + 6)],
    "memfd_and_run": [executed(MEMFD), connected(MEMFD, at=NOON + 1)],
    "memfd_for_a_moment": [
        called(LOADER, "memfd", path="x"),
        executed(GONE, NOON + 1),
        connected(GONE, at=NOON + 2),
    ],
    "reverse_shell": [executed(image("/usr/bin/dash", PLAIN, pid=66))],
    "shell_turned_over": [connected(image("/usr/bin/bash", SHELL, pid=66))],
    "raw_socket": [called(PLAIN, "socket", number=PACKET, detail=RAW | CLOEXEC)],
    "from_writable_place": [connected(WRITABLE)],
    "from_home_folder": [connected(HOMELY)],
    "server_shell": [executed(image("/bin/sh", NGINX))],
    "service_shell": [executed(image("/bin/sh", BACKUP))],
    "new_listener": [bound(PLAIN)],
    "new_talker": [connected(PLAIN)],
    "ptrace_other": [called(PLAIN, "ptrace", number=4321, detail=ATTACH)],
}


@pytest.mark.parametrize("name", [each.name for each in shipped()])
def test_the_real_sequence_is_told_once(name: str) -> None:
    gateway = Gateway()
    gateway.sockets = {66}
    (told,) = [each for each in gateway.take(*SEQUENCES[name]) if each.evidence["pattern"] == name]
    (pattern,) = [each for each in shipped() if each.name == name]
    assert (told.kind, told.severity) == (pattern.kind, pattern.severity)
    assert told.process is not None
    assert told.mac is None
    assert told.subject.split()[0] == name
    evidence = told.evidence
    assert evidence["detector"] == pattern.kind
    assert evidence["value"] == evidence["threshold"] == len(pattern.steps)
    assert evidence["why"]
    last: Any = SEQUENCES[name][-1]
    assert [each["pid"] for each in evidence["chain"]] == [
        each.pid for each in last.image.lineage()
    ]
    again = later(SEQUENCES[name][-1:], 30)
    assert gateway.patterns(*again) == []


NEAR: dict[str, list[Observation]] = {
    "dropped_and_run: by a package": [write(by=DPKG), *RUN],
    "dropped_and_run: by a package's script": [
        write(by=image("/usr/bin/cp", image("/bin/sh", DPKG))),
        *RUN,
    ],
    "dropped_and_run: another file": [write(path="/opt/x/other"), *RUN],
    "dropped_and_run: another container's file": [
        write(by=image("/usr/bin/curl", container="0123456789ab")),
        *RUN,
    ],
    "dropped_and_run: long after": [
        write(),
        executed(DROPPED, NOON + 5),
        connected(DROPPED, at=NOON + 700),
    ],
    "dropped_and_run: run before": [
        executed(DROPPED),
        write(NOON + 1),
        connected(DROPPED, at=NOON + 2),
    ],
    "dropped_and_run: to itself": [
        write(),
        executed(DROPPED, NOON + 5),
        connected(DROPPED, at=NOON + 6, scope="gateway"),
    ],
    "dropped_and_run: was called": [
        write(),
        executed(DROPPED, NOON + 5),
        connected(DROPPED, at=NOON + 6, is_outgoing=False),
    ],
    "memfd_and_run: talks to nobody": [executed(MEMFD)],
    "memfd_and_run: another process": [executed(MEMFD), connected(CURL, at=NOON + 1)],
    "memfd_and_run: what runs containers": [
        executed(OF_RUNC),
        executed(image("/usr/bin/agent", OF_RUNC), NOON + 1),
        connected(image("/usr/bin/agent", OF_RUNC), at=NOON + 2),
    ],
    "memfd_for_a_moment: without memory": [executed(GONE), connected(GONE, at=NOON + 1)],
    "memfd_for_a_moment: a file that was looked at": [
        called(LOADER, "memfd", path="x"),
        executed(DROPPED, NOON + 1),
        connected(DROPPED, at=NOON + 2),
    ],
    "reverse_shell: a terminal": [executed(image("/usr/bin/dash", PLAIN, unit=None, pid=67))],
    "reverse_shell: no shell": [executed(image("/usr/bin/rsync", PLAIN, pid=66))],
    "reverse_shell: socket activation": [executed(image("/bin/sh", SYSTEMD, pid=66))],
    "shell_turned_over: a terminal": [connected(image("/usr/bin/bash", SHELL, pid=67))],
    "raw_socket: a tool": [
        called(image("/usr/bin/ping", SHELL), "socket", number=INET, detail=RAW)
    ],
    "raw_socket: a stream": [called(PLAIN, "socket", number=INET, detail=STREAM | CLOEXEC)],
    "from_writable_place: in the home": [connected(WRITABLE, "192.168.0.7", scope="lan")],
    "from_writable_place: a like name": [connected(image("/opt/tmp/x"))],
    "from_home_folder: a like name": [connected(image("/srv/home/x"))],
    "server_shell: its own service": [executed(image("/bin/sh", SYSTEMD, unit="nginx.service"))],
    "server_shell: no shell": [executed(image("/usr/bin/id", NGINX))],
    "service_shell: cron": [executed(image("/bin/sh", CRON))],
    "service_shell: a person": [executed(image("/bin/bash", SSHD, unit="ssh.service"))],
    "service_shell: a package's script": [
        executed(image("/bin/sh", image("/usr/bin/perl", DPKG, unit="apt.service")))
    ],
    "new_listener: loopback": [bound(PLAIN, address="127.0.0.1")],
    "new_listener: loopback of IPv6": [bound(PLAIN, address="::1")],
    "new_listener: a port for once": [bound(PLAIN, "udp/51820")],
    "new_talker: is called": [connected(PLAIN, is_outgoing=False)],
    "ptrace_other: a debugger": [
        called(image("/usr/bin/strace", SHELL), "ptrace", number=4321, detail=SEIZE)
    ],
    "ptrace_other: lets itself be traced": [called(PLAIN, "ptrace", number=0, detail=TRACEME)],
    "ptrace_other: itself": [called(PLAIN, "ptrace", number=PLAIN.pid, detail=ATTACH)],
}


@pytest.mark.parametrize("near", NEAR)
def test_a_near_miss_is_not_told(near: str) -> None:
    gateway = Gateway()
    gateway.sockets = {66}
    assert near.partition(":")[0] not in gateway.patterns(*NEAR[near], Look(NOON + 800))


def test_every_pattern_has_near_misses() -> None:
    assert {each.partition(":")[0] for each in NEAR} == {each.name for each in shipped()}


LEARNT = [each.name for each in shipped() if each.learns is not None]


@pytest.mark.parametrize("name", LEARNT)
def test_what_was_learnt_is_not_told(name: str) -> None:
    settling = Gateway(since=NOON)
    assert settling.patterns(*SEQUENCES[name]) == []
    assert settling.patterns(*later(SEQUENCES[name], 9 * DAY)) == []
    assert Gateway(settling=True).patterns(*SEQUENCES["new_listener"]) == []


def test_what_settles_is_told_while_the_rest_is_learnt() -> None:
    young = Gateway(since=NOON - 2 * DAY)
    assert young.patterns(*SEQUENCES["new_listener"]) == ["new_listener"]
    assert young.patterns(*SEQUENCES["new_talker"]) == []


def test_a_container_that_is_made_anew_is_no_new_program() -> None:
    gateway = Gateway()
    first, second = (
        image("/usr/bin/agent", container=each) for each in ("0123456789ab", "ba9876543210")
    )
    assert gateway.patterns(connected(first)) == ["new_talker"]
    assert gateway.patterns(connected(second, at=NOON + 100)) == []
    assert gateway.patterns(connected(PLAIN, at=NOON + 200)) == ["new_talker"]


def test_each_port_is_told_for_itself() -> None:
    gateway = Gateway()
    told = gateway.take(bound(PLAIN), bound(PLAIN, "tcp/8081", NOON + 1), bound(PLAIN, at=NOON + 2))
    assert [each.subject for each in told] == ["new_listener tcp/8080", "new_listener tcp/8081"]


@pytest.mark.parametrize(
    ("path", "run"),
    [
        ("/opt/x/load", {"executable": "/opt/x/load", "file": "./load"}),
        ("load", {"executable": "/opt/x/load", "file": "./load"}),
        ("/opt/x/load.sh", {"executable": "/usr/bin/dash", "file": "/opt/x/load.sh"}),
        ("/opt/x/load.sh", {"executable": "/usr/bin/dash", "file": "./load.sh"}),
    ],
)
def test_a_file_is_known_again(path: str, run: dict[str, str]) -> None:
    process = image(run["executable"], SHELL, file=run["file"])
    child = image("/usr/bin/wget", process)
    gateway = Gateway()
    told = gateway.take(
        called(CURL, "chmod", path=path), executed(process), connected(child, at=NOON + 1)
    )
    (found,) = [each for each in told if each.kind == "exec_and_connect"]
    (file,) = found.evidence["files"]
    assert file == {"path": path, "call": "chmod", "by": "/usr/bin/curl", "pid": CURL.pid}
    (connection,) = found.evidence["connections"]
    assert connection["community_id"].startswith("1:")
    assert (connection["peer_address"], connection["peer_port"]) == ("203.0.113.9", 443)
    made = f"{path if path.startswith('/') else '/opt/x/load'} was made executable and run"
    assert found.summary == f"{made}; its /usr/bin/wget talks to 203.0.113.9"
    assert (found.evidence["stops"], found.evidence["pid"]) == ("process", process.pid)
    assert found.evidence["chain"][0] == {
        "executable": "/usr/bin/wget",
        "pid": child.pid,
        "command_line": "/usr/bin/wget",
    }


@pytest.mark.parametrize("ask", [Look(NOON + 2), connected(PLAIN, at=NOON + 2)])
def test_a_shell_gets_its_connection_a_moment_later(ask: Observation) -> None:
    gateway = Gateway()
    assert "reverse_shell" not in gateway.patterns(*SEQUENCES["reverse_shell"])
    gateway.sockets = {66}
    assert "reverse_shell" in gateway.patterns(ask)
    assert gateway.patterns(Look(NOON + 9)) == []


def test_a_service_is_the_culprit_not_its_shell() -> None:
    (told,) = Gateway().take(*SEQUENCES["server_shell"])
    assert (told.process, told.evidence["pid"]) == ("/usr/sbin/nginx", NGINX.pid)
    assert told.summary == "/usr/sbin/nginx began the shell /bin/sh"


def test_one_thing_is_told_as_what_says_most() -> None:
    gateway = Gateway()
    load = image("/tmp/load", SHELL)
    told = gateway.take(write(path="/tmp/load"), executed(load), connected(load))
    said = {each.kind: (each.severity, each.evidence.get("beside")) for each in told}
    assert said == {
        "exec_and_connect": ("high", None),
        "unexpected_process": ("info", "exec_and_connect"),
    }


@pytest.mark.parametrize("name", [each.name for each in shipped()])
def test_accepting_a_pattern_is_said_in_words(name: str) -> None:
    gateway = Gateway()
    gateway.sockets = {66}
    told = next(each for each in gateway.take(*SEQUENCES[name]) if each.evidence["pattern"] == name)
    wire = {"kind": told.kind, "subject": told.subject, "evidence": told.evidence}
    said = alike.what(wire, told.process or "")
    assert said.startswith(f"that {told.process}")
    assert told.subject.partition(" ")[2] in said


@pytest.mark.parametrize("name", [each.name for each in shipped()])
def test_a_pattern_is_switched_off_by_its_name(name: str) -> None:
    gateway = Gateway()
    gateway.sockets = {66}
    gateway.policy = DevicePolicy(patterns={name: "off"})
    assert name not in gateway.patterns(*SEQUENCES[name])


# Bounds, and what is hostile


def engine() -> Engine:
    return Engine(shipped(), Gateway().home)


def run(followed: Engine, observations: Iterable[Any]) -> None:
    for each in observations:
        assert not [found for found in followed.take(each) if found.pattern.name != "new_talker"]


def test_who_writes_much_pushes_out_its_own() -> None:
    followed = engine()
    run(followed, [write(path="/opt/theirs", by=SHELL)])
    run(followed, (write(path=f"/opt/{number}") for number in range(10_000)))
    assert MAX_WAITING * 15 // 16 <= len(followed) <= MAX_WAITING
    assert followed.dropped == 2 * 10_001 - len(followed)
    theirs = image("/opt/theirs", SHELL)
    run(followed, [executed(theirs)])
    assert next(followed.take(connected(theirs))).pattern.name == "dropped_and_run"


def test_what_nobody_can_run_takes_no_room() -> None:
    followed = engine()
    run(followed, [write(path=each) for each in ("/dev/null", "/proc/self/oom_score_adj")])
    assert len(followed) == 0
    run(followed, [write(path="/dev/shm/x")])
    assert len(followed) == 2


def test_what_was_dropped_is_counted() -> None:
    gateway = Gateway()
    gateway.take(*(write(path=f"/opt/{number}") for number in range(MAX_WAITING // 2)))
    assert gateway.detection.dropped == 0, "a program may be unpacked that has thousands of files"
    gateway.take(write(path="/opt/one-more"))
    assert gateway.detection.dropped == MAX_WAITING // 16 + 2


def test_what_has_waited_too_long_is_no_loss() -> None:
    followed = engine()
    run(followed, (write(path=f"/opt/{number}") for number in range(MAX_WAITING // 2)))
    run(followed, [write(at=NOON + 601)])
    assert len(followed) == 2
    assert followed.dropped == 0


def test_who_has_little_keeps_it_beside_those_who_have_much() -> None:
    followed = engine()
    few = [image(f"/opt/few/{number}", SHELL) for number in range(8)]
    for who in few:
        run(
            followed,
            (
                write(path=f"/opt/few-{who.number}-{each}", by=who)
                for each in range(FAIR_SHARE // 2)
            ),
        )
    for number in range(3):
        by = image("/usr/bin/cp")
        run(
            followed,
            (write(path=f"/srv/much-{number}-{each}", by=by) for each in range(MAX_WAITING)),
        )
    assert followed.dropped > MAX_WAITING
    assert all(len(followed._shares[who.number]) == FAIR_SHARE for who in few)


def test_many_processes_are_bounded_together() -> None:
    followed = engine()
    for number in range(2 * MAX_WAITING):
        run(followed, [write(path=f"/opt/{number}", by=image("/usr/bin/cp"))])
    assert len(followed) <= MAX_WAITING
    assert followed.dropped >= 2 * MAX_WAITING
    assert len(followed._shares) <= MAX_WAITING


def test_a_forgotten_program_leaves_nothing() -> None:
    followed = engine()
    run(followed, [write(), executed(DROPPED, NOON + 5)])
    assert len(followed) == 3
    followed.forget(CURL.program)
    followed.forget(DROPPED.program)
    assert (len(followed), followed._shares) == (0, {})


@given(st.text(max_size=300), st.text(max_size=300))
def test_what_processes_make_up_is_printable(path: str, name: str) -> None:
    """Also braces, which a sentence must not take for its own."""
    process = image(f"/tmp/{name}", SHELL, command_line=name)
    (told, *_) = Gateway().take(
        called(image(f"/{path}"), "write", path=f"/tmp/{name}"),
        executed(process),
        connected(process),
    )
    assert told.kind == "exec_and_connect"
    assert told.summary.isprintable()
    assert len(told.summary) < 400
    assert told.evidence["why"].isprintable()
    assert all(str(each).isprintable() for one in told.evidence["chain"] for each in one.values())
    assert all(str(each).isprintable() for one in told.evidence["files"] for each in one.values())
