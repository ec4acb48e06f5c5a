"""The promise in quality_scale.yaml, held against the checks."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

import yaml

from quality import bronze, gold, platinum, silver  # noqa: F401 - they fill the table
from quality.project import Project
from quality.rule import RULES, Tier

type Status = Literal["done", "exempt"]
TIERS: tuple[Tier, ...] = get_args(Tier.__value__)


@dataclass(frozen=True, slots=True)
class Finding:
    """What is promised of a rule, and what is wrong with it."""

    rule: str
    tier: Tier
    status: str
    comment: str
    faults: list[str]


def judge(project: Project) -> list[Finding]:
    """Hold each promise against the code, bronze first."""
    promised = _promises(project)
    return [
        Finding(name, RULES[name].tier, *_judge(project, name, promised.get(name)))
        for name in sorted(RULES, key=lambda each: (TIERS.index(RULES[each].tier), each))
    ]


def strays(project: Project) -> list[str]:
    """Return what is promised and is no rule."""
    return sorted(_promises(project).keys() - RULES.keys())


def _promises(project: Project) -> dict[str, Any]:
    path = project.integration / "quality_scale.yaml"
    promised: dict[str, Any] = yaml.safe_load(path.read_text())["rules"]
    return promised


def _judge(project: Project, name: str, promise: object) -> tuple[str, str, list[str]]:
    """Return status, comment and faults."""
    status, comment = "missing", ""
    match promise:
        case str():
            status = promise
        case {"status": str() as status, "comment": str() as comment}:
            pass
    match status:
        case "done":
            return status, comment, list(faults_of(project, name))
        case "exempt":
            return status, comment, [] if comment.strip() else ["no reason is given"]
    return status, comment, ["neither done nor exempt"]


def faults_of(project: Project, name: str) -> Iterator[str]:
    """Yield a rule's faults; a check that stumbles over what it looks at has found one."""
    try:
        yield from RULES[name].faults(project)
    except (KeyError, OSError, SyntaxError, ValueError) as error:
        yield f"cannot be checked: {error!r}"
