"""The twenty rules of bronze."""

import ast
from collections.abc import Iterator

from quality.project import Project, called
from quality.rule import rule


@rule("action-setup", "bronze", "services::every_field_reaches_the_sensor_as_it_was_said")
def action_setup(project: Project) -> Iterator[str]:
    """Actions are there once Home Assistant has started, set up by entries or not."""
    setup = [node for _, node in project.functions("__init__") if node.name == "async_setup"]
    if not any(called(node) == "async_setup_services" for each in setup for node in _calls(each)):
        yield "async_setup does not register the actions"
    for registers in ("async_register", "async_register_admin_service"):
        for name, _ in project.calls(registers):
            if name != "services" and registers != "async_register":
                yield f"{name}.py registers an action"
        if not project.calls(registers, "services") and registers == "async_register":
            yield "services.py registers nothing"


@rule("appropriate-polling", "bronze", "init::loss_and_return_are_shown_and_logged_once")
def appropriate_polling(project: Project) -> Iterator[str]:
    """The sensor pushes; nobody asks entities for their state."""
    if project.manifest.get("iot_class") != "local_push":
        yield "iot_class is not local_push"
    if not _class_attribute(project, "entity", "_attr_should_poll", False):
        yield "entities are polled"
    for name, node in project.nodes(ast.Name):
        if node.id in {"SCAN_INTERVAL", "DataUpdateCoordinator"}:
            yield f"{name}.py polls by {node.id}"


@rule("brands", "bronze", "scripts/test_hacs::icon", "scripts/test_hacs::logo")
def brands(project: Project) -> Iterator[str]:
    """The icon and the logo come with the integration."""
    for name in ("icon.png", "icon@2x.png", "logo.png", "logo@2x.png", "dark_logo.png"):
        path = project.integration / "brand" / name
        if not path.exists() or path.read_bytes()[:8] != b"\x89PNG\r\n\x1a\n":
            yield f"brand/{name} is no picture"


@rule("common-modules", "bronze")
def common_modules(project: Project) -> Iterator[str]:
    """Base entities are in entity.py; what a coordinator would be, is the hub."""
    bases = {node.name for _, node in project.nodes(ast.ClassDef, "entity")}
    for name, tree in project.platforms.items():
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.ClassDef)
                and "Entity" in _bases(node)
                and node.name not in bases
            ):
                yield f"{name}.py has a base entity of its own: {node.name}"
    if not any(node.name == "Hub" for _, node in project.nodes(ast.ClassDef, "hub")):
        yield "hub.py has no Hub"
    if not bases:
        yield "entity.py has no base entity"


@rule("config-flow", "bronze", "translations::every_field_is_named_and_described")
def config_flow(project: Project) -> Iterator[str]:
    """All is set up in the user interface, and each field says what it is for."""
    if project.manifest.get("config_flow") is not True:
        yield "the manifest has no config_flow"
    if not project.defines("async_step_user", "config_flow"):
        yield "there is no step of the user's"
    for part in ("config", "options"):
        for step, words in project.words[part]["step"].items():
            for fields in (words, *words.get("sections", {}).values()):
                if set(fields.get("data", {})) != set(fields.get("data_description", {})):
                    yield f"a field of {part}.{step} has no description"


@rule(
    "config-flow-test-coverage",
    "bronze",
    "config_flow::this_host",
    "config_flow::a_socket_is_configured_once",
    "config_flow::a_start_that_fails_and_the_way_on",
)
def config_flow_test_coverage(project: Project) -> Iterator[str]:
    """The gate of scripts/test lets no line of the flows go untested."""
    gate = project.text("tests/coverage_gate.py")
    flows = [name for name in project.modules if "flow" in name]
    if '"*flow*.py": 100' not in gate:
        yield "coverage of the flows is not held at 100 %"
    if "tests.coverage_gate" not in project.text("scripts/test"):
        yield "scripts/test does not look at coverage"
    if not flows:
        yield "there are no flows"


@rule("dependency-transparency", "bronze")
def dependency_transparency(project: Project) -> Iterator[str]:
    """Nothing is installed from anywhere: both halves and the protocol are this repository."""
    if requirements := project.manifest.get("requirements"):
        yield f"requirements: {requirements}"


@rule("docs-actions", "bronze", "documents::every_action_and_its_fields_are_documented")
def docs_actions(project: Project) -> Iterator[str]:
    """Each action and each of its fields is described."""
    text = project.text("docs/home-assistant.md")
    for name, described in project.table("services.yaml").items():
        if f"`hearthwall.{name}`" not in text:
            yield f"the action {name} is not described"
        for field, inner in (described or {}).get("fields", {}).items():
            for each in inner.get("fields", {field: inner}):
                if f"`{each}`" not in text:
                    yield f"the field {each} of {name} is not described"


@rule("docs-triggers", "bronze")
def docs_triggers(project: Project) -> Iterator[str]:
    """Each trigger is described."""
    yield from _described(project, "triggers.yaml")


@rule("docs-conditions", "bronze")
def docs_conditions(project: Project) -> Iterator[str]:
    """Each condition is described."""
    yield from _described(project, "conditions.yaml")


def _described(project: Project, name: str) -> Iterator[str]:
    table = project.table(name)
    if not table:
        yield f"{name} is empty"
    for each in table:
        if f"`hearthwall.{each}`" not in project.documents:
            yield f"{each} of {name} is not described"


@rule("docs-high-level-description", "bronze")
def docs_high_level_description(project: Project) -> Iterator[str]:
    """The README begins with what this is."""
    if len(project.section("README.md", "Hearthwall")) < 200:
        yield "the README does not begin with what this is"


@rule("docs-installation-instructions", "bronze")
def docs_installation_instructions(project: Project) -> Iterator[str]:
    """How to install it is told, step by step."""
    section = project.section("README.md", "Install")
    for word in ("HACS", "Add integration", "Home Assistant 2026.9"):
        if word not in " ".join(section.split()):
            yield f"nothing on {word} in the README's Install"


@rule(
    "docs-removal-instructions", "bronze", "config_flow::removal_takes_everything_out_of_the_kernel"
)
def docs_removal_instructions(project: Project) -> Iterator[str]:
    """How to remove it is told, from the kernel, too."""
    if "Removing the integration" not in project.section("README.md", "The way back"):
        yield "nothing on removal in the README's The way back"
    if "unload" not in project.section("README.md", "The way back"):
        yield "nothing on unload in the README's The way back"


@rule("entity-event-setup", "bronze", "init::unload_leaves_nothing_connected")
def entity_event_setup(project: Project) -> Iterator[str]:
    """Entities listen while they are there, and no longer."""
    added = [node for _, node in project.functions() if node.name == "async_added_to_hass"]
    if not added:
        yield "no entity listens"
    for name, cls in project.nodes(ast.ClassDef, "entity", *project.platforms):
        for method in cls.body:
            if isinstance(method, ast.FunctionDef) and any(
                called(node) == "async_subscribe" for node in _calls(method)
            ):
                yield f"{name}.py: {cls.name}.{method.name} listens before the entity is there"
    for each in added:
        names = {called(node) for node in _calls(each)}
        if "async_subscribe" in names and "async_on_remove" not in names:
            yield "a subscription outlives its entity"


@rule("entity-unique-id", "bronze", "entities::each_device_and_the_gateway_have_their_entities")
def entity_unique_id(project: Project) -> Iterator[str]:
    """Every entity has an id of its own, given by the base."""
    given = [
        node
        for _, node in project.nodes(ast.Assign, "entity")
        if any(ast.unparse(target) == "self._attr_unique_id" for target in node.targets)
    ]
    if not given:
        yield "the base entity has no unique id"


@rule("has-entity-name", "bronze", "entities::each_device_and_the_gateway_have_their_entities")
def has_entity_name(project: Project) -> Iterator[str]:
    """Entities are named after their device."""
    if not _class_attribute(project, "entity", "_attr_has_entity_name", True):
        yield "the base entity has no _attr_has_entity_name"


@rule("runtime-data", "bronze", "init::unload_leaves_nothing_connected")
def runtime_data(project: Project) -> Iterator[str]:
    """What runs belongs to its entry, with a type."""
    for name, node in project.nodes(ast.Subscript):
        if ast.unparse(node.value).endswith("hass.data"):
            key = ast.unparse(node.slice)
            if "DOMAIN" in key or "hearthwall" in key:
                yield f"{name}.py keeps something in hass.data"
    assigned = [ast.unparse(node) for _, node in project.nodes(ast.Assign, "__init__")]
    if not any(line.startswith("entry.runtime_data = ") for line in assigned):
        yield "async_setup_entry gives the entry no runtime_data"
    for name, function in project.functions("__init__", *project.platforms):
        if function.name == "async_setup_entry":
            kinds = [ast.unparse(each.annotation) for each in function.args.args if each.annotation]
            if "HearthwallConfigEntry" not in kinds:
                yield f"{name}.py's async_setup_entry takes an entry without a type"


@rule(
    "test-before-configure",
    "bronze",
    "config_flow::existing_sensor_and_the_way_on_from_its_failures",
)
def test_before_configure(project: Project) -> Iterator[str]:
    """No entry is made for a sensor that did not answer."""
    flows = [name for name in project.modules if "flow" in name]
    if not project.calls("probe", *flows):
        yield "the flow does not speak with the sensor"


@rule(
    "test-before-setup",
    "bronze",
    "init::no_sensor_is_tried_again",
    "init::a_refusal_says_what_to_do",
)
def test_before_setup(project: Project) -> Iterator[str]:
    """A set-up that fails says why, and whether waiting helps."""
    raised = {
        called(node.exc)
        for _, node in project.nodes(ast.Raise, "__init__")
        if isinstance(node.exc, ast.Call)
    }
    if "setup_error" not in raised:
        yield "async_setup_entry raises nothing"
    names = {node.id for _, node in project.nodes(ast.Name, "errors")}
    for each in ("ConfigEntryNotReady", "ConfigEntryError", "ConfigEntryAuthFailed"):
        if each not in names:
            yield f"there is no {each}"


@rule("unique-config-entry", "bronze", "config_flow::a_socket_is_configured_once")
def unique_config_entry(project: Project) -> Iterator[str]:
    """A sensor is configured once."""
    flows = [name for name in project.modules if "flow" in name]
    for each in ("async_set_unique_id", "_abort_if_unique_id_configured"):
        if not project.calls(each, *flows):
            yield f"the flow never calls {each}"


def _calls(node: ast.AST) -> list[ast.Call]:
    return [each for each in ast.walk(node) if isinstance(each, ast.Call)]


def _bases(node: ast.ClassDef) -> list[str]:
    return [ast.unparse(base) for base in node.bases]


def _class_attribute(project: Project, module: str, name: str, value: object) -> bool:
    """Tell whether a class of the module has this attribute with this value."""
    return any(
        isinstance(each, ast.Assign)
        and ast.unparse(each.targets[0]) == name
        and isinstance(each.value, ast.Constant)
        and each.value.value is value
        for _, node in project.nodes(ast.ClassDef, module)
        for each in node.body
    )
