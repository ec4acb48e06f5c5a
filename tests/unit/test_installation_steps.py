"""Steps that are undone: each though another can't be, and what failed first is what is told."""

import subprocess

import pytest

from hearthwall_sensor.installation.steps import Steps
from hearthwall_sensor.protocol import SensorError


@pytest.mark.parametrize(
    "error",
    [
        SensorError("internal", "it stays"),
        OSError(28, "it stays"),
        subprocess.TimeoutExpired(["it stays"], 1),
        subprocess.CalledProcessError(1, ["it stays"]),
    ],
)
def test_what_can_not_be_undone_hides_neither_the_failure_nor_the_rest(error: Exception) -> None:
    told: list[str] = []
    undone: list[str] = []

    def fail() -> None:
        raise error

    def work() -> None:
        with Steps(told.append) as steps:
            steps.did("first", lambda: undone.append("first"))
            steps.did("second", fail)
            raise SensorError("storage_failed", "no room")

    with pytest.raises(SensorError, match="no room"):
        work()
    assert undone == ["first"]
    assert told[-2] == "That failed: what was done is undone"
    assert told[-1].startswith("This could not be undone: ")
    assert "it stays" in told[-1]
