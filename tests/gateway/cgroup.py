"""A control group of its own for a test's processes: a sensor watches no others there."""

import itertools
import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from hearthwall_sensor.kernel import cgroups

_numbers = itertools.count()


class TestCgroup:
    """A cgroup of the second version."""

    __test__ = False

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()

    @classmethod
    def make(cls) -> TestCgroup:
        """Make one that no other test has."""
        top = cgroups.root()
        assert top is not None
        return cls(top / f"hearthwall-test-{os.getpid()}-{next(_numbers)}")

    def child(self, name: str) -> TestCgroup:
        """Make one within it."""
        return TestCgroup(self.path / name)

    def argv(self, line: Sequence[str]) -> list[str]:
        """Return the command line that runs another one in the cgroup."""
        return ["/bin/sh", "-c", 'echo $$ > "$0/cgroup.procs"; exec "$@"', str(self.path), *line]

    def clean(self) -> None:
        """End whoever is in it, and remove it with those within it."""
        for each in sorted(self.path.iterdir()):
            if each.is_dir():
                TestCgroup.__new__(TestCgroup)._adopt(each).clean()
        (self.path / "cgroup.kill").write_text("1")
        for _ in range(100):
            try:
                self.path.rmdir()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError((self.path / "cgroup.procs").read_text())

    def _adopt(self, path: Path) -> TestCgroup:
        self.path = path
        return self


def compiled(source: Path, to: Path) -> Path:
    """Compile a program of one file."""
    subprocess.run(["cc", "-O1", "-pthread", "-o", str(to), str(source)], check=True)
    return to
