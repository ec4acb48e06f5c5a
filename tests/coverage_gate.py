"""Fails a run of all tests that leaves too much of the integration untried; a plugin, after pytest-cov."""

from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest
from coverage import Coverage

#: Percent of the lines at least, of each file that fits, and of all together.
GATES = {"*flow*.py": 100, "*": 97}


def shortfalls(lines: dict[str, tuple[int, set[int]]]) -> Iterator[str]:
    """Yield what is below its gate; of each file there is the number of lines, and those that were missed."""
    for pattern, least in GATES.items():
        if pattern == "*":
            total = sum(count for count, _ in lines.values())
            missed = sum(len(each) for _, each in lines.values())
            if total and 100 * (total - missed) < least * total:
                yield f"{100 * (total - missed) / total:.1f} % of all lines, not {least} %"
            continue
        for name, (count, missing) in lines.items():
            if fnmatch(name, pattern) and 100 * (count - len(missing)) < least * count:
                numbers = ", ".join(map(str, sorted(missing)))
                yield f"{name}: not {least} %, without {numbers}"


def measured(coverage: Coverage) -> dict[str, tuple[int, set[int]]]:
    """Return what the shortfalls are reckoned from."""
    lines = {}
    for path in sorted(coverage.get_data().measured_files()):
        _, statements, _, missing, _ = coverage.analysis2(path)
        lines[Path(path).name] = (len(statements), set(missing))
    return lines


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Look at what all workers left."""
    config = session.config
    if hasattr(config, "workerinput") or not config.pluginmanager.hasplugin("_cov"):
        return
    coverage = Coverage(config_file=str(config.rootpath / "pyproject.toml"))
    coverage.load()
    lines = measured(coverage)
    found = list(shortfalls(lines)) if lines else ["nothing was measured"]
    config.stash[FOUND] = found
    if found and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


FOUND: pytest.StashKey[list[str]] = pytest.StashKey()


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say what is missing, before the line that counts the tests."""
    for line in config.stash.get(FOUND, []):
        terminalreporter.write_line(f"Coverage: {line}", red=True)
