"""Targets on this host's processes: how they are written, where they lead, and what is refused with a sentence."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from hearthwall_sensor.kernel.program_masks import entry_at, entry_of, mask_at, masks, program_key
from hearthwall_sensor.program_paths import path_bytes, path_text
from hearthwall_sensor.protocol import SensorError
from hearthwall_sensor.rules.host import on_host, started
from hearthwall_sensor.targets import MAX_PATH_BYTES, Target, parse_target, path_of, path_target

NO_ZERO = st.binary(min_size=1, max_size=60).filter(lambda path: 0 not in path)
#: Few names, so that paths lie in one another.
FOLDERS = st.lists(st.sampled_from((b"a", b"ab", b"b")), min_size=1, max_size=5).map(
    lambda names: b"/" + b"/".join(names)
)
ON_PATHS = st.lists(st.tuples(st.sampled_from(("exe", "dir")), FOLDERS), max_size=20)


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("exe:/usr/bin/foo", "exe:/usr/bin/foo"),
        (" exe:/usr//bin/./foo ", "exe:/usr/bin/foo"),
        ("dir:/opt/app/", "dir:/opt/app"),
        ("dir:/opt/my app", "dir:/opt/my app"),
        ("exe:/opt/\\xff\\x0a", "exe:/opt/\\xff\\x0a"),
        ("exe:/opt/\udcff", "exe:/opt/\\xff"),
        ("exe:/opt/caf\\xc3\\xa9", "exe:/opt/café"),
        ("exe:/opt/a:b@c", "exe:/opt/a:b@c"),
        ("pid:0042", "pid:42"),
        (f"exe:/{'a' * 249}", f"exe:/{'a' * 249}"),
    ],
)
def test_canonical(written: str, canonical: str) -> None:
    target = parse_target(written)
    assert target.value == canonical
    assert parse_target(target.value) == target


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("/usr/bin/foo", "write exe:/path"),
        ("exe:foo", "whole path"),
        ("exe:", "whole path"),
        ("exe:/usr/../bin/foo", "without .."),
        ("dir:/opt/..", "without .."),
        ("dir:/", "too wide"),
        ("exe:/", "too wide"),
        ("dir:/./", "too wide"),
        ("exe:/opt/", "write dir:/opt/"),
        ("exe:/opt/a\tb", "control characters"),
        ("exe:/opt/a\x9bb", "control characters"),
        ("exe:/opt/a\\x00b", "zero"),
        (f"exe:/{'a' * 250}", "too long"),
        (f"dir:/{'é' * 125}", "too long"),
        ("pid:0", "no process|not a process"),
        ("pid:-1", "not a process"),
        ("pid:٣", "not a process"),
        ("pid:99999999", "not a process"),
        ("pid:" + "9" * 5000, "not a process"),
    ],
)
def test_refused(written: str, said: str) -> None:
    with pytest.raises(SensorError, match=said) as error:
        parse_target(written)
    assert error.value.code == "invalid_target"
    assert error.value.message.isprintable()


@given(NO_ZERO)
def test_every_path_is_shown_and_read_back(path: bytes) -> None:
    text = path_text(path)
    assert text.isprintable()
    assert path_bytes(text) == path


@given(st.text(max_size=300))
def test_whatever_is_written_is_refused_or_canonical(text: str) -> None:
    for kind in ("exe", "dir", "pid"):
        try:
            target = parse_target(f"{kind}:{text}")
        except SensorError:
            continue
        assert parse_target(target.value) == target
        assert kind == "pid" or len(path_of(target)) <= MAX_PATH_BYTES


@given(ON_PATHS, FOLDERS)
def test_masks_at_a_path_are_of_all_rules_around_it(
    wanted: list[tuple[str, bytes]], path: bytes
) -> None:
    """The kernel takes the longest entry that a path begins with, and asks no other."""
    targets = [Target(kind, f"{kind}:{path_text(each)}") for kind, each in wanted]  # type: ignore[arg-type]
    own: dict[bytes, int] = {}
    for slot, target in enumerate(targets):
        own[entry_of(target)] = own.get(entry_of(target), 0) | 1 << slot
    table = masks(own)
    fitting = [entry for entry in table if (path + b"\0").startswith(entry)]
    found = table[max(fitting, key=len)] if fitting else 0
    expected = sum(
        1 << slot
        for slot, (kind, each) in enumerate(wanted)
        if (path == each if kind == "exe" else path.startswith(each + b"/"))
    )
    assert found == mask_at(own, path) == expected
    assert all(entry_at(program_key(entry)) == entry for entry in table)


# On this host


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    real = tmp_path.resolve()
    (real / "bin").mkdir()
    (real / "bin" / "python3.11").write_text("")
    (real / "bin" / "python3").symlink_to("python3.11")
    (real / "alias").symlink_to("bin")
    return real


def test_links_are_followed_and_the_name_is_kept(folder: Path) -> None:
    asked = parse_target(f"exe:{folder}/alias/python3")
    target, kept, since, _ = on_host(asked)
    assert target.value == f"exe:{folder}/bin/python3.11"
    assert (kept, since) == (asked, None)
    assert on_host(target) == (target, None, None, None)
    assert on_host(parse_target(f"dir:{folder}/alias")).target.value == f"dir:{folder}/bin"


def test_what_is_not_there_yet_may_be_named_in_a_folder_that_is(folder: Path) -> None:
    for kind in ("exe", "dir"):
        assert on_host(parse_target(f"{kind}:{folder}/alias/new")).target.value == (
            f"{kind}:{folder}/bin/new"
        )
        with pytest.raises(SensorError, match="neither is the folder"):
            on_host(parse_target(f"{kind}:{folder}/none/new"))


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("exe:{}/bin", "is a folder: write dir:"),
        ("dir:{}/bin/python3", "is a file: write exe:"),
        ("exe:{}/bin/python3/foo", "neither is the folder"),
        ("exe:{}/bin/sh@0123456789ab", "in a container"),
        ("exe:/dev/null", "no file that can be executed"),
    ],
)
def test_what_is_something_else_is_refused(folder: Path, target: str, said: str) -> None:
    with pytest.raises(SensorError, match=said) as error:
        on_host(parse_target(target.format(folder)))
    assert error.value.code == "invalid_target"


def test_link_to_a_path_that_is_too_long(folder: Path) -> None:
    long = folder / ("a" * 120) / ("b" * 120) / "c"
    long.parent.mkdir(parents=True)
    long.write_text("")
    (folder / "short").symlink_to(long)
    with pytest.raises(SensorError, match="more than 250 bytes"):
        on_host(parse_target(f"exe:{folder}/short"))


def test_name_that_is_no_text(folder: Path) -> None:
    name = os.fsencode(folder) + b"/bin/\xff\n"
    Path(os.fsdecode(name)).write_text("")
    target = path_target("exe", name)
    assert on_host(target).target == target
    assert path_of(target) == name


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process


def test_process_is_known_by_when_it_was_started(child: subprocess.Popen[bytes]) -> None:
    target, _, since, program = on_host(parse_target(f"pid:{child.pid}"))
    assert program == str(Path(f"/proc/{child.pid}/exe").readlink())
    assert target == Target("pid", f"pid:{child.pid}")
    assert since is not None
    assert since == started(child.pid)
    child.communicate(b"\n")
    assert started(child.pid) is None
    with pytest.raises(SensorError) as error:
        on_host(target)
    assert error.value.code == "not_found"


def test_the_first_process_is_protected() -> None:
    with pytest.raises(SensorError, match="nothing overrides") as error:
        on_host(parse_target("pid:1"))
    assert error.value.code == "protected_target"


def test_thread_is_no_process() -> None:
    code = (
        "import threading, time; t = threading.Thread(target=time.sleep, args=(60,), daemon=True);"
        "t.start(); print(t.native_id, flush=True); input()"
    )
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        thread = int(process.stdout.readline())
        assert started(process.pid) is not None
        assert started(thread) is None
        process.communicate(b"\n")
