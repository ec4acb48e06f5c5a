"""What patterns tell: whom they name, what a response stops, and that one thing is told once."""

import dataclasses

import pytest

from hearthwall_sensor.detection import Consequences, Detection
from hearthwall_sensor.detectors import DETECTORS
from hearthwall_sensor.observations import Look
from hearthwall_sensor.patterns.standard_input import Input
from hearthwall_sensor.patterns.words import words
from tests.unit.observed import NOON, packed
from tests.unit.processes import SHELL, called, connected, executed, image
from tests.unit.test_patterns import ATTACH, PLAIN, RUN, Gateway, write


def test_a_written_program_that_talks_itself_is_stopped_by_its_path() -> None:
    (told,) = [each for each in Gateway().take(write(), *RUN) if each.kind == "exec_and_connect"]
    assert told.summary == "/opt/x/load was written and run; it talks to 203.0.113.9"
    assert told.evidence["stops"] == "program"


def test_a_process_that_executed_nothing_stands_before_what_began_it() -> None:
    (told,) = Gateway().take(connected(PLAIN, pid=4242))
    assert [each["pid"] for each in told.evidence["chain"]][:2] == [4242, PLAIN.pid]


def asking(**home: object) -> Gateway:
    """Return a gateway that answers so of its processes."""
    gateway = Gateway()
    gateway.home = dataclasses.replace(gateway.home, **home)  # type: ignore[arg-type]
    gateway.detection = Detection(DETECTORS, gateway.home, Consequences(gateway.told.append))
    return gateway


def test_a_shell_on_a_connection_is_told_once_with_its_peer() -> None:
    """One that calls, becomes an interactive one, and begins what its .bashrc says."""
    caller = image("/usr/bin/bash", SHELL, pid=66)
    shell = image("/usr/bin/bash", caller, pid=66)
    child = image("/usr/bin/dash", shell, pid=67)
    stdin = Input(7, peer=packed("203.0.113.9"), peer_port=4545)
    gateway = asking(standard_input=lambda _: stdin)
    deeds = executed(shell), connected(caller), executed(child), Look(NOON + 9)
    (told,) = [each for each in gateway.take(*deeds) if each.kind == "suspicious_syscall"]
    assert told.peer_address == "203.0.113.9"
    assert "a connection with 203.0.113.9 for its standard input" in told.summary
    assert told.evidence["connections"][0]["peer_port"] == 4545


@pytest.mark.parametrize(
    ("peer", "whoever"),
    [
        ("203.0.113.9", "somebody far away may type to it"),
        ("192.168.20.22", "somebody far away may type to it"),
        (
            "127.0.0.1",
            "another program of this host, or somebody who comes through one, may type to it",
        ),
        ("::1", "another program of this host, or somebody who comes through one, may type to it"),
    ],
)
def test_who_may_type_to_a_shell(peer: str, whoever: str) -> None:
    stdin = Input(7, peer=packed(peer), peer_port=4545)
    deeds = executed(image("/usr/bin/dash", PLAIN, pid=66)), Look(NOON + 9)
    taken = asking(standard_input=lambda _: stdin).take(*deeds)
    (told,) = [each for each in taken if each.evidence["pattern"] == "reverse_shell"]
    assert told.summary == (
        f"/usr/bin/dash has a connection with {peer} for its standard input: {whoever}"
    )
    assert "a Unix socket" in told.evidence["why"]


def test_who_is_held_is_named() -> None:
    (told,) = asking(executable=lambda _: "/usr/sbin/sshd").take(
        called(PLAIN, "ptrace", number=4321, detail=ATTACH)
    )
    assert told.summary.endswith("took hold of the process 4321 (/usr/sbin/sshd)")
    assert told.evidence["held"] == {"pid": 4321, "executable": "/usr/sbin/sshd"}


def test_a_long_path_keeps_both_ends() -> None:
    long = image(f"/tmp/{'a' * 4000}/load")
    said = words((connected(long),))["program"]
    assert len(said) == 80
    assert said.startswith("/tmp/a")
    assert said.endswith("a/load")
