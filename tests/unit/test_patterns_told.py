"""What patterns tell: whom they name, what a response stops, and that one thing is told once."""

from tests.unit.processes import connected
from tests.unit.test_patterns import PLAIN, RUN, Gateway, write


def test_a_written_program_that_talks_itself_is_stopped_by_its_path() -> None:
    (told,) = [each for each in Gateway().take(write(), *RUN) if each.kind == "exec_and_connect"]
    assert told.summary == "/opt/x/load was written and run; it talks to 203.0.113.9"
    assert told.evidence["stops"] == "program"


def test_a_process_that_executed_nothing_stands_before_what_began_it() -> None:
    (told,) = Gateway().take(connected(PLAIN, pid=4242))
    assert [each["pid"] for each in told.evidence["chain"]][:2] == [4242, PLAIN.pid]
