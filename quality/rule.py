"""What a rule is, and how its check is put into the table."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from quality.project import Project

type Tier = Literal["bronze", "silver", "gold", "platinum"]
#: Yields what is wrong; nothing if the rule is kept.
type Check = Callable[[Project], Iterator[str]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of the scale, what holds the code against it, and the tests that show it at work."""

    tier: Tier
    check: Check
    tests: tuple[str, ...]

    def faults(self, project: Project) -> list[str]:
        """Return what is wrong, by the check and by tests that are not there."""
        missing = [f"no test {test}" for test in self.tests if not project.has_test(test)]
        return [*self.check(project), *missing]


RULES: dict[str, Rule] = {}


def rule(name: str, tier: Tier, *tests: str) -> Callable[[Check], Check]:
    """Put a check into the table; the tests are named `file::test` below tests/homeassistant."""

    def put(check: Check) -> Check:
        paths = tuple(each if "/" in each else f"homeassistant/test_{each}" for each in tests)
        paths = tuple(each.replace("::", ".py::test_") for each in paths)
        RULES[name] = Rule(tier, check, paths)
        return check

    return put
