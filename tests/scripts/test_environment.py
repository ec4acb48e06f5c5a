"""scripts/environment: what is made once, and what is said where something cannot be had."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOBODY = 65534


class Shell:
    """A bash that has loaded the environment, with a cache of its own."""

    def __init__(self, cache: Path) -> None:
        self.cache = cache

    def __call__(self, script: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", f"set -euo pipefail; source scripts/environment/load.bash; {script}"],
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
            env={**os.environ, "HEARTHWALL_CACHE": str(self.cache)},
        )


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path / "cache")


MAKE = 'make() { echo made >> "$1/times"; }; '


def test_a_folder_is_made_once_for_the_same_inputs(shell: Shell) -> None:
    for _ in range(2):
        result = shell(MAKE + 'need_cached thing "$(key_of one)" make; cat "$cached/times"')
        assert result.stdout == "made\n"
    other = shell(MAKE + 'need_cached thing "$(key_of two)" make; cat "$cached/times"')
    assert other.stdout == "made\n"
    assert len(list(shell.cache.glob("thing-*"))) == 2


def test_a_changed_requirements_file_changes_the_key(shell: Shell, tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    keys = set()
    for version in "12":
        requirements.write_text(f"thing=={version}\n")
        keys.add(shell(f"key_of python '{requirements}'").stdout)
    assert len(keys) == 2


def test_what_a_crash_left_half_made_is_made_again(shell: Shell) -> None:
    crash = 'make() { touch "$1/half"; kill -KILL $$; }; need_cached thing key make'
    assert shell(crash).returncode == -9
    assert list(shell.cache.glob("thing-*/half"))

    result = shell(MAKE + 'need_cached thing key make; ls "$cached"')
    assert result.stdout == "times\n"


def test_two_runs_at_once_make_it_once(shell: Shell) -> None:
    slow = 'make() { echo made >> "$1/times"; sleep 1; }; '
    result = shell(
        slow + "need_cached thing key make & need_cached thing key make & wait; "
        'cat "$cache"/thing-key/times'
    )
    assert result.stdout.splitlines().count("made") == 1


def test_what_nobody_asked_for_lately_is_removed(shell: Shell) -> None:
    shell(MAKE + "need_cached thing aaaaaaaaaaaa make; need_cached other aaaaaaaaaaaa make")
    long_ago = 15 * 24 * 3600
    for marker in shell.cache.glob("*/.complete"):
        then = marker.stat().st_mtime - long_ago
        os.utime(marker, (then, then))

    shell(MAKE + "need_cached thing bbbbbbbbbbbb make")
    assert {path.name for path in shell.cache.iterdir() if path.is_dir()} == {
        "thing-bbbbbbbbbbbb",
        "other-aaaaaaaaaaaa",
    }


def test_a_failing_command_shows_its_end_and_one_sentence(shell: Shell) -> None:
    result = shell("quietly 'It cannot be had.' sh -c 'echo reason; exit 3'; echo not reached")
    assert result.returncode == 1
    assert result.stdout == ""
    assert "  | reason\n" in result.stderr
    assert result.stderr.endswith(": It cannot be had.\n")


def test_a_cache_that_cannot_be_made_is_said(shell: Shell) -> None:
    shell.cache = Path("/proc/hearthwall")
    result = shell(MAKE + "need_cached thing key make")
    assert result.returncode == 1
    assert "HEARTHWALL_CACHE" in result.stderr


def test_installed_packages_need_no_apt(shell: Shell) -> None:
    result = shell("apt-get() { echo called; exit 9; }; need_packages base; echo done")
    assert result.stdout == "done\n"


def test_a_missing_package_without_root_names_the_line_that_needs_it() -> None:
    parts = ROOT / "scripts" / "environment"
    script = "\n".join(
        [
            *((parts / part).read_text() for part in ("progress.bash", "packages.bash")),
            "packages_of() { printf '%s\\n' dpkg hearthwall-none-such; }",
            "need_packages base",
        ]
    )
    result = subprocess.run(
        ["bash", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        user=NOBODY if os.geteuid() == 0 else None,
    )
    assert result.returncode == 1
    assert result.stderr.endswith(
        "sudo apt-get update && sudo apt-get install --no-install-recommends hearthwall-none-such\n"
    )


def test_every_package_of_the_table_has_a_group_and_a_reason() -> None:
    table = (ROOT / "scripts" / "environment" / "packages").read_text().splitlines()
    rows = [line.split(maxsplit=2) for line in table if not line.startswith("#")]
    assert all(len(row) == 3 for row in rows)
    places = [(group, name) for group, name, _ in rows]
    assert len(places) == len(set(places))
