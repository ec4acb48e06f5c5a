"""The gate on coverage closes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.coverage_gate import shortfalls

FLOW, HUB = "config_flow.py", "hub.py"


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ({FLOW: (100, set()), HUB: (900, set(range(30)))}, []),
        ({FLOW: (100, {7}), HUB: (900, set())}, ["config_flow.py: not 100 %, without 7"]),
        (
            {"remote_flow_steps.py": (9, {3, 1}), HUB: (900, set())},
            ["remote_flow_steps.py: not 100 %, without 1, 3"],
        ),
        ({FLOW: (100, set()), HUB: (900, set(range(31)))}, ["96.9 % of all lines, not 97 %"]),
    ],
)
def test_what_is_below_its_gate_is_told(
    lines: dict[str, tuple[int, set[int]]], told: list[str]
) -> None:
    assert list(shortfalls(lines)) == told


PLUGINS = ("no:cacheprovider", "xdist.plugin", "pytest_cov.plugin", "tests.coverage_gate")


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    plugins = [each for name in PLUGINS for each in ("-p", name)]
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            *plugins,
            "--cov",
            "--cov-report=",
            "-n",
            "2",
            "test_flow.py",
        ],
        cwd=folder,
        env={
            "PATH": os.defpath,
            "PYTHONPATH": f"{folder}:{Path(__file__).parents[2]}",
            "PYTHONDONTWRITEBYTECODE": "1",
            # Home Assistant's takes seconds to load
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_run_that_leaves_a_line_untried_fails(tmp_path: Path) -> None:
    flows = tmp_path / "flows"
    flows.mkdir()
    (flows / "__init__.py").touch()
    (flows / "config_flow.py").write_text("def tried():\n    1\n\n\ndef untried():\n    2\n")
    (tmp_path / "pyproject.toml").write_text('[tool.coverage.run]\nsource = ["flows"]\n')
    test = "from flows.config_flow import tried, untried\n\n\ndef test_it():\n    tried()\n"
    (tmp_path / "test_flow.py").write_text(test)
    done = run(tmp_path)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout + done.stderr
    assert "config_flow.py: not 100 %, without 6" in done.stdout
    assert "1 passed" in done.stdout.splitlines()[-1]

    (tmp_path / "test_flow.py").write_text(f"{test}    untried()\n")
    done = run(tmp_path)
    assert done.returncode == pytest.ExitCode.OK, done.stdout + done.stderr
