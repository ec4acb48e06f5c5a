"""The ten rules of silver."""

import ast
from collections.abc import Iterator

from quality.project import Project, called
from quality.rule import rule

#: Which document tells of the fields of the set-up.
SETUP_DOCUMENT = "docs/home-assistant.md"


@rule(
    "action-exceptions",
    "silver",
    "services::bad_input_is_refused_and_nothing_sent",
    "services::without_a_connection_nothing_is_done",
    "entities::a_refused_quarantine_is_an_error_and_no_state",
)
def action_exceptions(project: Project) -> Iterator[str]:
    """What a sensor refuses is an error that says why, from actions and from switches."""
    names = {node.id for _, node in project.nodes(ast.Name, "errors")}
    for each in ("ServiceValidationError", "HomeAssistantError"):
        if each not in names:
            yield f"errors.py knows no {each}"
    for name in ("services", "switch"):
        raised = {
            called(node.exc)
            for _, node in project.nodes(ast.Raise, name)
            if isinstance(node.exc, ast.Call)
        }
        if "order_error" not in raised:
            yield f"{name}.py does not tell a sensor's refusal"


@rule("config-entry-unloading", "silver", "init::unload_leaves_nothing_connected")
def config_entry_unloading(project: Project) -> Iterator[str]:
    """An entry goes without a restart."""
    if not project.defines("async_unload_entry", "__init__"):
        yield "there is no async_unload_entry"
    if not project.calls("async_unload_platforms", "__init__"):
        yield "the platforms are not unloaded"


@rule("docs-configuration-parameters", "silver")
def docs_configuration_parameters(project: Project) -> Iterator[str]:
    """Each option is described by the name that the page has for it."""
    yield from _fields_in_docs(project, "options")


@rule("docs-installation-parameters", "silver")
def docs_installation_parameters(project: Project) -> Iterator[str]:
    """Each field of the set-up is described by the name that the page has for it."""
    yield from _fields_in_docs(project, "config")


def _fields_in_docs(project: Project, part: str) -> Iterator[str]:
    text = " ".join(project.text(SETUP_DOCUMENT).split()).lower()
    for step, words in project.words[part]["step"].items():
        for each in (words, *words.get("sections", {}).values()):
            for field, name in each.get("data", {}).items():
                if name.lower() not in text:
                    yield f"{part}.{step}.{field} ({name}) is not described"


@rule(
    "entity-unavailable",
    "silver",
    "init::loss_and_return_are_shown_and_logged_once",
    "snapshots::without_a_sensor_nothing_is_pretended",
    "snapshots::what_the_sensor_does_not_say_is_unknown",
)
def entity_unavailable(project: Project) -> Iterator[str]:
    """Without a sensor nothing is pretended."""
    for node in _classes(project, "entity"):
        if node.name in {"GatewayEntity", "DeviceEntity"} and not any(
            isinstance(each, ast.FunctionDef) and each.name == "available" for each in node.body
        ):
            yield f"{node.name} is always available"


@rule("integration-owner", "silver", "scripts/test_hacs::manifest")
def integration_owner(project: Project) -> Iterator[str]:
    """Somebody answers for it."""
    owners = project.manifest.get("codeowners", [])
    if not owners or not all(each.startswith("@") for each in owners):
        yield "codeowners names nobody"


@rule("log-when-unavailable", "silver", "init::loss_and_return_are_shown_and_logged_once")
def log_when_unavailable(project: Project) -> Iterator[str]:
    """The log says once that the sensor is gone, and once that it is back."""
    said = {
        node.args[0].value
        for name, node in project.calls("info", "link")
        if node.args and isinstance(node.args[0], ast.Constant)
    }
    for each in ("Disconnected from the sensor", "Connected to the sensor again"):
        if not any(str(line).startswith(each) for line in said):
            yield f"nothing logs: {each}"


@rule("parallel-updates", "silver", "snapshots::updates_wait_for_nothing")
def parallel_updates(project: Project) -> Iterator[str]:
    """Each platform says how many updates may run side by side."""
    for name, tree in project.platforms.items():
        if not any(
            isinstance(node, ast.Assign) and ast.unparse(node) == "PARALLEL_UPDATES = 0"
            for node in tree.body
        ):
            yield f"{name}.py has no PARALLEL_UPDATES"


@rule("reauthentication-flow", "silver", "remote_flow::a_revoked_token_asks_for_another")
def reauthentication_flow(project: Project) -> Iterator[str]:
    """Whoever lost the right to speak with the sensor is asked for it."""
    if not project.defines("async_step_reauth"):
        yield "there is no async_step_reauth"


@rule("test-coverage", "silver")
def test_coverage(project: Project) -> Iterator[str]:
    """The gate of scripts/test holds coverage above what the scale asks for."""
    if '"*": 97' not in project.text("tests/coverage_gate.py"):
        yield "coverage of the integration is not held at 97 %"
    if "tests.coverage_gate" not in project.text("scripts/test"):
        yield "scripts/test does not look at coverage"


def _classes(project: Project, module: str) -> list[ast.ClassDef]:
    return [node for _, node in project.nodes(ast.ClassDef, module)]
