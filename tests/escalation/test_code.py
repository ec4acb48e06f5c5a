"""The user changes what is theirs, and has root's own commands find it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from custom_components.hearthwall.trust import find_untrusted
from hearthwall_sensor.installation.copying import copy
from hearthwall_sensor.protocol import SensorError
from hearthwall_sensor.trust import Trust
from tests.escalation.home import HOME, INTEGRATION, PAYLOAD, Home
from tests.gateway.loading import held, rewrite

pytestmark = pytest.mark.lab

STRANGER = 65534
PLANTED = f"{HOME}/planted"
#: What root's Python imports first, and what the sensor imports.
MODULES = (
    "sitecustomize",
    "usercustomize",
    "argparse",
    "json",
    "asyncio",
    "aiohttp",
    "bcc",
    "hearthwall_sensor/__init__",
    "hearthwall_sensor/cli",
)
COMMANDS = ("--version", "status", "check", "load", "blocks", "token --list")


def test_the_integration_rewritten_changes_nothing_that_root_runs(home: Home) -> None:
    """Every file of it, before root's sensor is started anew and is asked everything."""
    done = home.attempt("python3", "-c", _APPEND, INTEGRATION, PAYLOAD)
    assert int(done.stdout) > 200
    home.restart()
    for each in COMMANDS:
        home.run("hearthwall-sensor", *each.split(), check=False)
    home.run("hearthwall-sensor", "upgrade", "--back", check=False)


#: Appends to every file of Python below a folder, and prints how many there were.
_APPEND = """
import pathlib, sys
files = list(pathlib.Path(sys.argv[1]).rglob("*.py"))
for each in files:
    with each.open("a") as file:
        file.write(sys.argv[2])
print(len(files))
"""


@pytest.mark.parametrize("command", COMMANDS)
def test_python_finds_nothing_of_the_users(home: Home, command: str) -> None:
    """Root works in the user's folder, with an environment that names it."""
    for each in MODULES:
        home.plant(f"{PLANTED}/{each}.py", PAYLOAD)
        home.plant(f"{HOME}/.local/lib/python3.11/site-packages/{each}.py", PAYLOAD)
    home.plant(f"{HOME}/.local/lib/python3.11/site-packages/mine.pth", f"import os; {_ONE_LINE}")
    there = ["env", f"--chdir={PLANTED}", f"HOME={HOME}", f"PYTHONUSERBASE={HOME}/.local"]
    there += [f"PYTHONPATH={PLANTED}", f"PYTHONSTARTUP={PLANTED}/json.py", "PYTHONINSPECT="]
    there += [f"XDG_CONFIG_HOME={PLANTED}", f"TMPDIR={PLANTED}", f"PYTHONPYCACHEPREFIX={PLANTED}"]
    home.run(*there, "hearthwall-sensor", *command.split(), check=False)
    assert not home.is_owned
    home.run(*there, "python3", "-c", "import json", check=False)
    assert home.is_owned  # what is planted works, with a Python that listens to it


_ONE_LINE = "os.geteuid() == 0 and open('/root/owned', 'w').close()"


def test_a_python_home_of_the_users_is_not_taken(home: Home) -> None:
    home.plant(f"{PLANTED}/lib/python3.11/encodings/__init__.py", PAYLOAD)
    done = home.run("env", f"PYTHONHOME={PLANTED}", "hearthwall-sensor", "status", "--json")
    assert '"pid"' in done


def test_nothing_is_written_where_root_imports_from(home: Home) -> None:
    """No bytecode beside the sources either: there is nothing to put in its place."""
    home.run("hearthwall-sensor", "check", check=False)
    caches = "find /usr/local/lib/hearthwall /root/release -name __pycache__"
    assert home.run(*caches.split()) == ""


# Home Assistant as root, and the installation, from folders that another user can write


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The integration as root has it."""
    folder = tmp_path / "config" / "custom_components" / "hearthwall" / "bpf"
    (folder / "hearthwall_sensor").mkdir(parents=True)
    (folder / "hearthwall-sensor").write_text("#!/usr/bin/python3 -I\n")
    (folder / "hearthwall_sensor" / "cli.py").write_text("")
    return folder


def _of_a_group(folder: Path) -> None:
    """Let a group write a file that others are in."""
    path = folder / "hearthwall_sensor" / "cli.py"
    os.chown(path, 0, STRANGER)
    path.chmod(0o664)


def _compiled_by(folder: Path) -> None:
    """Put a folder of compiled programs beside the sources, which is another user's."""
    (folder / "compiled").mkdir()
    os.chown(folder / "compiled", STRANGER, STRANGER)


#: What another user may have of it.
THEIRS: dict[str, Callable[[Path], object]] = {
    "a file": lambda folder: os.chown(folder / "hearthwall_sensor" / "cli.py", STRANGER, 0),
    "a file of a group": _of_a_group,
    "a folder within": lambda folder: os.chown(folder / "hearthwall_sensor", STRANGER, 0),
    "the folder": lambda folder: folder.chmod(0o777),
    "the folder above": lambda folder: os.chown(folder.parent, STRANGER, 0),
    "the configuration": lambda folder: os.chown(folder.parents[2], STRANGER, 0),
    "a link": lambda folder: (folder / "hearthwall_sensor" / "json.py").symlink_to("/tmp/mine.py"),
    "compiled programs": _compiled_by,
}


def test_home_assistant_as_root_starts_what_only_root_can_change(folder: Path) -> None:
    assert find_untrusted(folder) is None


@pytest.mark.parametrize("theirs", THEIRS.values(), ids=THEIRS)
def test_home_assistant_as_root_starts_nothing_that_another_user_can_change(
    folder: Path, theirs: Callable[[Path], object]
) -> None:
    theirs(folder)
    assert find_untrusted(folder) is not None


@pytest.mark.parametrize("theirs", THEIRS.values(), ids=THEIRS)
def test_nothing_that_another_user_can_change_is_installed(
    folder: Path, tmp_path: Path, theirs: Callable[[Path], object]
) -> None:
    theirs(folder)
    copies = tmp_path / "copies"
    copies.mkdir()
    with pytest.raises(SensorError) as refused:
        copy(folder, copies, Trust())
    assert refused.value.code == "unsafe_files"
    assert list(copies.iterdir()) == []


#: Swaps a file for another one, and a folder for a link, until it is ended.
_SWAPPING = """
import contextlib, os, pathlib, sys
folder = pathlib.Path(sys.argv[1])
os.setgid(65534), os.setuid(65534)
print("ready", flush=True)
while True:
    with contextlib.suppress(OSError):
        (folder / "mine.py").write_text("PAYLOAD")
        os.replace(folder / "mine.py", folder / "cli.py")
    with contextlib.suppress(OSError):
        os.symlink("/etc", folder.parent / "link")
        os.rename(folder, folder.parent / "aside")
        os.rename(folder.parent / "link", folder)
    with contextlib.suppress(OSError):
        os.unlink(folder)
    with contextlib.suppress(OSError):
        os.rename(folder.parent / "aside", folder)
"""


def test_nothing_is_installed_from_a_folder_that_is_swapped_meanwhile(
    folder: Path, tmp_path: Path
) -> None:
    """Whenever it is looked at, it is the user's, or is no folder: nothing of it gets to the copies."""
    for each in (tmp_path, folder):
        each.chmod(0o755)
    os.chown(folder, STRANGER, STRANGER)
    os.chown(folder / "hearthwall_sensor", STRANGER, STRANGER)
    copies = tmp_path / "copies"
    copies.mkdir()
    line = [sys.executable, "-c", _SWAPPING, str(folder / "hearthwall_sensor")]
    with subprocess.Popen(line, stdout=subprocess.PIPE) as swapping:
        try:
            assert swapping.stdout is not None
            swapping.stdout.readline()
            for _ in range(300):
                with pytest.raises((SensorError, OSError)):
                    copy(folder, copies, Trust())
        finally:
            swapping.kill()
    assert list(copies.iterdir()) == []


def test_compiled_programs_of_the_users_are_not_loaded(home: Home) -> None:
    """They fit, and their digest is right; but they are in the integration's folder, which is the user's."""
    (theirs,) = home.path(f"{INTEGRATION}/bpf/compiled").glob("network-*.json")
    rewrite(theirs, {"programs": held(theirs)["programs"]})
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from hearthwall_sensor.kernel import cache, units\n"
        "from pathlib import Path\n"
        "doubts = []; cache.SHIPPED = Path(sys.argv[2])\n"
        "print(len(list(cache.found(units.NETWORK, doubts))), *doubts)\n"
    )
    current = "/usr/local/lib/hearthwall/current"
    told = home.run("python3", "-I", "-c", script, current, f"{INTEGRATION}/bpf/compiled")
    assert "someone else could change" in told
