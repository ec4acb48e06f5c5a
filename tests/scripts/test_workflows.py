"""The hosted workflows do what docs/releases.md says, by the scripts that are tested here."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = ROOT / ".github" / "workflows"


def jobs(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((WORKFLOWS / f"{name}.yml").read_text())["jobs"]
    return found


def steps(name: str) -> list[dict[str, Any]]:
    return [step for job in jobs(name).values() for step in job["steps"]]


def test_a_release_is_packed_with_its_tag_and_uploaded() -> None:
    runs = [step["run"] for step in steps("release") if "run" in step]
    packages = re.search(
        r"^Build-Depends: (.*)$", (ROOT / "debian" / "control").read_text(), re.MULTILINE
    )
    assert packages is not None
    tools = sorted(set(re.findall(r"[\w-]+", packages[1])) & {"dh-python", "help2man"})
    assert runs == [
        'scripts/package --tag "$TAG"',
        "sudo apt-get update && sudo apt-get install --yes --no-install-recommends debhelper "
        + " ".join(tools),
        'scripts/package --deb --tag "$TAG"',
        'gh release upload "$TAG" dist/hearthwall.zip dist/hearthwall-sensor_*_all.deb',
    ]


def test_hassfest_and_hacs_look_at_everything() -> None:
    used = {step["uses"]: step.get("with", {}) for step in steps("validate")}
    assert "home-assistant/actions/hassfest@master" in used
    assert used["hacs/action@main"] == {"category": "integration"}, "and nothing is ignored"


def test_hosted_tests_run_what_the_readme_says() -> None:
    runs = [step["run"] for step in steps("test") if "run" in step]
    assert ".ci/run" in runs
    assert "scripts/test" in (ROOT / ".ci" / "run").read_text()


@pytest.mark.parametrize("name", [path.stem for path in WORKFLOWS.glob("*.yml")])
def test_no_step_has_more_rights_than_it_needs(name: str) -> None:
    said = yaml.safe_load((WORKFLOWS / f"{name}.yml").read_text())
    assert said["permissions"] in ({}, {"contents": "read"})
    for job in said["jobs"].values():
        assert job["timeout-minutes"] <= 60
        for step in job["steps"]:
            # What others named, a tag say, comes through the environment only
            assert "${{" not in step.get("run", "")
            if "checkout" in step.get("uses", ""):
                assert step["with"]["persist-credentials"] is False
