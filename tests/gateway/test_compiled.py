"""Compiled programs on disk: loaded without a compiler, and never when anything about them is doubtful."""

import base64
import json
import os
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hearthwall_sensor.kernel import units
from tests.gateway.loading import Machine, held, rewrite
from tests.gateway.sensor_process import LAUNCHER, command

pytestmark = pytest.mark.lab

STRANGER = 65534


def network(folder: Path) -> Path:
    """Return the file of the network's programs."""
    (found,) = folder.glob("network-*.json")
    return found


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache as two sensors left it that started at once."""
    folder = tmp_path_factory.mktemp("filled")
    machine = Machine(folder)
    try:
        both = [
            subprocess.Popen(machine.line(name), stdout=subprocess.PIPE)
            for name in ("one", "another")
        ]
        for each in both:
            told = json.loads(each.communicate(timeout=90)[0])
            assert (told["from_cache"], told["doubts"]) == (False, [])
        return machine.cache
    finally:
        machine.clean()


@pytest.fixture
def machine(filled: Path, tmp_path: Path) -> Iterator[Machine]:
    """A machine that has compiled before."""
    machine = Machine(tmp_path)
    shutil.copytree(filled, machine.cache)
    yield machine
    machine.clean()


@pytest.fixture
def bare(filled: Path, tmp_path: Path) -> Iterator[Machine]:
    """The same machine when its compiler has gone: what it loads now, it loads from disk."""
    machine = Machine(tmp_path, compiler=False)
    shutil.copytree(filled, machine.cache)
    yield machine
    machine.clean()


def test_two_that_start_at_once_leave_one_whole_cache(filled: Path) -> None:
    assert sorted(each.name.split("-")[0] for each in filled.iterdir()) == ["network", "processes"]
    assert stat.S_IMODE(filled.stat().st_mode) == 0o700
    assert {stat.S_IMODE(each.stat().st_mode) for each in filled.iterdir()} == {0o600}


def test_only_the_first_start_of_a_version_compiles_and_maps_llvm(machine: Machine) -> None:
    assert machine.maps_compiler("again") == ["False", "False"]
    assert machine.maps_compiler("anew", "--anew") == ["True", "True"]


def test_what_was_compiled_outlives_the_compiler(bare: Machine) -> None:
    told = bare.load("bare")
    assert (told["from_cache"], told["doubts"]) == (True, [])
    assert "processes" not in told


def _truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def _changed(path: Path) -> None:
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 1
    path.write_bytes(whole)


def _linked(path: Path) -> None:
    path.rename(path.parents[2] / "elsewhere")
    path.symlink_to(path.parents[2] / "elsewhere")


def _piped(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _misnamed(path: Path) -> None:
    """The digest of other sources, under the name that these have."""
    rewrite(path, {"digest": "0" * 64})


def _lacking(path: Path) -> None:
    programs = held(path)["programs"]
    del programs["meter_judge"]
    rewrite(path, {"programs": programs})


#: What is done to a file, and what the sensor says of it.
DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "truncated": (_truncated, "damaged"),
    "changed": (_changed, "damaged"),
    "empty": (lambda path: path.write_bytes(b""), "damaged"),
    "no text": (lambda path: path.write_bytes(b"\xff" * 4096), "damaged"),
    "another's": (lambda path: os.chown(path, STRANGER, 0), "someone else could change"),
    "group's": (lambda path: path.chmod(0o620), "someone else could change"),
    "everybody's": (lambda path: path.chmod(0o602), "someone else could change"),
    "a link": (_linked, "symbolic links"),
    "a pipe": (_piped, "no file of compiled programs"),
    "a folder of everybody's": (lambda path: path.parent.chmod(0o777), "someone else could change"),
    "another's folder": (
        lambda path: os.chown(path.parent, STRANGER, 0),
        "someone else could change",
    ),
    "of other sources": (_misnamed, "something else"),
    "of another machine": (lambda path: rewrite(path, {"machine": "s390x"}), "something else"),
    "of another format": (lambda path: rewrite(path, {"format": 1}), "something else"),
    "without a program": (_lacking, "programs are not those"),
    "no document": (lambda path: rewrite(path, {"tables": 7}), "is not used"),
}


@pytest.mark.parametrize(("damage", "said"), DAMAGE.values(), ids=DAMAGE)
def test_what_is_doubtful_is_not_loaded(
    bare: Machine, damage: Callable[[Path], object], said: str
) -> None:
    """By the real loader, which without a compiler has nothing else to load."""
    damage(network(bare.cache))
    told = bare.load("doubtful")
    assert told["code"] == "missing_capability"
    assert said in told["message"]


def test_what_is_doubtful_or_refused_by_the_kernel_is_compiled_anew(machine: Machine) -> None:
    """One file is damaged; the other as good as any, but for a program that returns what it never set."""
    damaged, refused = network(machine.cache), next(machine.cache.glob("processes-*.json"))
    whole = damaged.read_bytes()
    _changed(damaged)
    programs = held(refused)["programs"]
    returns = base64.b64encode(bytes([0x95, *bytes(7)])).decode()
    programs["life_begins"] |= {"instructions": returns, "tables": {}}
    rewrite(refused, {"programs": programs})
    told = machine.load("anew")
    assert (told["from_cache"], "processes" in told) == (False, False)
    assert any("damaged" in each for each in told["doubts"])
    assert any("does not take the program life_begins" in each for each in told["doubts"])
    assert damaged.read_bytes() == whole
    assert len(held(refused)["programs"]["life_begins"]["instructions"]) > len(returns)


# What comes compiled


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sensor's files as a package has them, with compiled programs."""
    folder = tmp_path_factory.mktemp("package") / "hearthwall"
    shutil.copytree(units.SOURCES, folder, ignore=shutil.ignore_patterns("compiled", "__pycache__"))
    made = command("load", "--json", "--compile-into", str(folder / "compiled"))
    subprocess.run(made, check=True, capture_output=True, timeout=90)
    return folder


@pytest.fixture
def small(package: Path, tmp_path: Path) -> Iterator[Machine]:
    """A machine that has the package, and no compiler."""
    copy = tmp_path / "hearthwall"
    shutil.copytree(package, copy)
    machine = Machine(tmp_path, compiler=False, launcher=copy / LAUNCHER.name)
    yield machine
    machine.clean()


def test_a_package_with_compiled_programs_needs_no_compiler(small: Machine, package: Path) -> None:
    told = small.load("small")
    assert (told["from_cache"], told["doubts"]) == (True, [])
    assert "processes" not in told
    assert not small.cache.exists()
    assert {stat.S_IMODE(each.stat().st_mode) for each in (package / "compiled").iterdir()} == {
        0o644
    }


def test_check_says_that_no_compiler_is_needed(small: Machine, tmp_path: Path) -> None:
    line = command("check", "--json", launcher=tmp_path / "hearthwall" / LAUNCHER.name)
    done = subprocess.run(small.inside(line), capture_output=True, text=True, check=False)
    parts = {each["name"]: each for each in json.loads(done.stdout)["parts"]}
    assert parts["bcc"]["ok"], parts["bcc"]
    assert "compiled before" in parts["kernel programs"]["detail"]


def test_compiled_programs_of_other_sources_are_not_loaded(small: Machine, tmp_path: Path) -> None:
    """Whichever of the sources it is, also a header that stands in for the kernel's."""
    header = tmp_path / "hearthwall" / "include" / "linux" / "types.h"
    header.write_text(header.read_text() + "/* changed */\n")
    assert small.load("stale")["code"] == "missing_capability"


@pytest.mark.parametrize("what", ["folder", "file"])
def test_compiled_programs_that_others_can_write_are_not_loaded(
    small: Machine, tmp_path: Path, what: str
) -> None:
    folder = tmp_path / "hearthwall" / "compiled"
    os.chown(folder if what == "folder" else network(folder), STRANGER, STRANGER)
    told = small.load("theirs")
    assert told["code"] == "missing_capability"
    assert "someone else could change" in told["message"]


def test_a_kernel_without_tracefs_loads_what_it_can(tmp_path: Path) -> None:
    """Lives are not followed there, and connections are all the same."""
    script = (
        'mount -t tmpfs none /sys/kernel/tracing; mount -t tmpfs none /sys/kernel/debug; exec "$@"'
    )
    line = ["unshare", "--mount", "sh", "-c", script, "sh", *command("load", "--anew", "--json")]
    done = subprocess.run(line, capture_output=True, text=True, timeout=90, check=False)
    told = json.loads(done.stdout)
    assert told.get("processes") is None, told
    assert told["from_cache"] is False
