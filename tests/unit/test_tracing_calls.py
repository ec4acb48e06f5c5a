"""Records of system calls without a kernel: what patterns are told of them, and what lines are made of them."""

import os
import socket
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from hearthwall_sensor.commands.trace import what
from hearthwall_sensor.kernel.process_layouts import CALLED, Called, Head, read_record
from hearthwall_sensor.processes.image import Image
from hearthwall_sensor.tracing import descriptors, tracing as tracing_module, wording
from hearthwall_sensor.tracing.calls import told
from hearthwall_sensor.tracing.lines import Lines
from tests.unit.calls import V4, image, record


def called(name: str, text: bytes | None = None, **fields: Any) -> Called:
    found = read_record(record(name, text, **fields))
    assert isinstance(found, Called)
    return found


# What patterns are told


@pytest.mark.parametrize(
    ("name", "text", "fields", "expected"),
    [
        ("open", b"/etc/cron.d/x", {"second": 0o101}, ("write", "/etc/cron.d/x", 0, 0o101)),
        ("open", b"/tmp/../etc//passwd", {}, ("write", "/etc/passwd", 0, 0)),
        ("open", b"/a\x1b[31m\xff", {}, ("write", "/a\\x1b[31m\\xff", 0, 0)),
        ("chmod", b"/tmp/x", {"second": 0o755}, ("chmod", "/tmp/x", 0, 0o755)),
        ("memfd", b"a\nb", {}, ("memfd", "a\\x0ab", 0, 0)),
        ("ptrace", None, {"first": 12, "second": 16}, ("ptrace", "", 12, 16)),
        ("socket", None, {"first": 17, "second": 0o2000003}, ("socket", "", 17, 3)),
    ],
)
def test_a_call_is_told_in_the_words_of_patterns(
    name: str, text: bytes | None, fields: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    assert told(called(name, text, **fields)) == expected


def test_a_path_that_is_not_whole_begins_where_the_process_is(tmp_path: Path) -> None:
    (tmp_path / "7" / "fd").mkdir(parents=True)
    (tmp_path / "7" / "cwd").symlink_to("/etc")
    (tmp_path / "7" / "fd" / "3").symlink_to("/srv/x (deleted)")
    paths = [
        told(called("open", b"cron.d/x"), tmp_path),
        told(called("open", b"y", fd=3), tmp_path),
        told(called("chmod", None, fd=3), tmp_path),
        told(called("open", b"z", pid=8), tmp_path),
    ]
    assert [each and each.path for each in paths] == ["/etc/cron.d/x", "/srv/x/y", "/srv/x", "z"]


@pytest.mark.usefixtures("socket_enabled")
def test_the_port_that_is_listened_on_is_looked_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        number, port = server.fileno(), server.getsockname()[1]
        assert told(called("listen", pid=os.getpid(), fd=number, second=5)) == (
            *("listen", "", port),
            5,
        )
    assert told(called("listen", pid=os.getpid(), fd=number)) == ("listen", "", 0, 0)


@given(st.binary(max_size=400), st.integers(0, 255))
def test_damaged_records_are_nothing(data: bytes, call: int) -> None:
    head = Head(CALLED, call, 0, 2**31, 0, 0, 0, 0, 0, b"")
    found = told(Called(head, data))
    assert found is None or found.path.isprintable()


@pytest.mark.usefixtures("socket_enabled")
def test_only_sockets_of_the_internet_are_looked_into(tmp_path: Path) -> None:
    here, there = socket.socketpair()
    with here, there, (tmp_path / "file").open("w") as file:
        assert descriptors.ends(os.getpid(), here.fileno()) == descriptors.OTHER
        assert descriptors.ends(os.getpid(), file.fileno()) is None
    assert descriptors.ends(2**22 - 1, 0) is None
    assert descriptors.ends(os.getpid(), -1) is None


# Lines


def lines(found: Image | None = None) -> Lines:
    return Lines(lambda *_: found or image(), lambda ns: ns / 1e9, lambda *_: None)


def line(name: str, text: bytes | None = None, **fields: Any) -> Any:
    head, call = tracing_module._read(record(name, text, **fields)) or pytest.fail("damaged")
    return lines().call(head, call, image(), is_last=True)


def test_a_line_says_who_did_what_and_what_came_of_it() -> None:
    found = line("connect", family=2, peer=V4, port=443, result=-111, fd=3)
    assert (found.address, found.port) == ("192.0.2.1", 443)
    assert (found.result, found.error) == (-111, "ECONNREFUSED")
    assert (found.pid, found.uid, found.comm) == (7, 1000, "curl")
    assert (found.executable, found.time, found.duration_us) == ("/usr/bin/curl", 1.0, 1.5)


def test_hostile_text_is_escaped() -> None:
    found = line("connect", b"@\x1b]0;x\x07", family=1, comm=b"\x1b[2J\xff")
    assert found.path == "@\\x1b]0;x\\x07"
    assert found.comm == "\\x1b[2J\\xff"


def test_an_exec_names_who_started_it() -> None:
    parent = image("/bin/bash", pid=6)
    head, call = tracing_module._read(record("exec", b"/bin/x")) or pytest.fail("damaged")
    found = lines().call(head, call, image("/bin/x", parent=parent), is_last=True)
    assert (found.executable, found.parent_executable, found.parent_pid) == (
        "/bin/x",
        "/bin/bash",
        6,
    )
    assert what(found.to_wire()).endswith("by /bin/bash pid 6")
    failed = lines().call(head, call._replace(result=-2), parent, is_last=True)
    assert (failed.parent_executable, failed.parent_pid) == (None, None)
    assert what(failed.to_wire()).endswith("by /bin/bash")


def test_an_exec_that_failed_has_no_command_line() -> None:
    assert line("exec", b"/bin/x").detail == "curl x"
    assert line("exec", b"/bin/x", result=-2).detail == ""


@pytest.mark.parametrize(
    ("name", "fields", "detail"),
    [
        ("socket", {"first": 2, "second": 1, "port": 6}, "inet stream protocol 6"),
        ("socket", {"first": 999, "second": 9}, "family 999 type 9"),
        ("ptrace", {"first": 5, "second": 16}, "attach 5"),
        ("ptrace", {"second": 77}, "request 77"),
        ("open", {"second": 0o1101}, "O_WRONLY|O_CREAT|O_TRUNC"),
        ("open", {"second": 0}, "rename"),
        ("listen", {"second": 128}, "backlog 128"),
    ],
)
def test_numbers_are_words(name: str, fields: dict[str, Any], detail: str) -> None:
    assert line(name, b"/x", **fields).detail == detail


def test_errors_have_their_names() -> None:
    assert [wording.error(each) for each in (0, 5, -2, -512, -9999)] == [
        *(None, None, "ENOENT"),
        *("ERESTARTSYS", "error 9999"),
    ]
