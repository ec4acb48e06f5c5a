"""Attacks in a lab: one command of them at a time."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lab.commands import _alone
from lab.errors import LabError


def test_a_second_attack_is_told_of_the_first(tmp_path: Path) -> None:
    lab: Any = SimpleNamespace(name="home", run_directory=SimpleNamespace(path=tmp_path))
    with _alone(lab), pytest.raises(LabError, match="another attack is running in the lab home"):
        _alone(lab).__enter__()
    with _alone(lab):
        pass
