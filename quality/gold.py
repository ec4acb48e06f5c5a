"""The twenty-one rules of gold."""

import ast
from collections.abc import Iterator

from quality.project import Project, called, keyword
from quality.rule import Check, rule

#: Calls of these are what a user reads when something goes wrong.
ERRORS = ("HomeAssistantError", "ServiceValidationError", "ConfigEntryError", "ConfigEntryNotReady")


@rule("devices", "gold", "devices::devices_lie_behind_the_gateway")
def devices(project: Project) -> Iterator[str]:
    """The gateway is a device, and so is each device of the home."""
    given = {
        target
        for _, node in project.nodes(ast.Assign, "entity")
        for target in map(ast.unparse, node.targets)
    }
    if "self._attr_device_info" not in given or not project.calls("DeviceInfo", "entity"):
        yield "the base entities have no device_info"
    for name, node in project.nodes(ast.Attribute):
        if node.attr == "via_device":
            yield f"{name}.py uses via_device, which is no more"


@rule("diagnostics", "gold", "diagnostics::diagnostics_name_nobody")
def diagnostics(project: Project) -> Iterator[str]:
    """Diagnostics can be downloaded, and name nobody."""
    if not project.defines("async_get_config_entry_diagnostics", "diagnostics"):
        yield "there are no diagnostics"


@rule(
    "discovery",
    "gold",
    "remote_flow::a_sensor_that_announces_itself",
    "remote_flow::an_apps_sensor",
)
def discovery(project: Project) -> Iterator[str]:
    """A sensor that announces itself is offered."""
    if not project.manifest.get("zeroconf"):
        yield "the manifest names no zeroconf service"
    for step in ("async_step_zeroconf", "async_step_hassio"):
        if not project.defines(step):
            yield f"there is no {step}"


@rule("discovery-update-info", "gold", "remote_flow::another_address_is_taken_over")
def discovery_update_info(project: Project) -> Iterator[str]:
    """A known sensor that has moved is followed."""
    flows = [name for name in project.modules if "flow" in name]
    updates = [
        node
        for name, node in project.calls("_abort_if_unique_id_configured", *flows)
        if node.args or keyword(node, "updates") is not None
    ]
    if not updates and not project.calls("async_update_entry", *flows):
        yield "no step of discovery updates an entry"


def docs(name: str, document: str, heading: str, *words: str) -> Check:
    """Return a check that a document has a section, and that it speaks of these words."""

    @rule(name, "gold")
    def check(project: Project) -> Iterator[str]:
        section = " ".join(project.section(document, heading).split())
        if not section:
            yield f"{document} has no section {heading}"
        for word in words:
            if word not in section:
                yield f"{heading} in {document} does not speak of {word}"

    return check


docs(
    "docs-data-update",
    "docs/home-assistant.md",
    "Where the figures come from",
    "30 seconds",
    "pushes",
)
docs("docs-examples", "docs/home-assistant.md", "Automations", "triggers:", "hearthwall.quarantine")
docs("docs-known-limitations", "README.md", "What to know before", "MAC", "Ethernet")
docs("docs-supported-devices", "docs/home-assistant.md", "What is supported", "Linux 5.8", "HAOS")
docs(
    "docs-supported-functions", "docs/home-assistant.md", "Entities", "sensor.", "switch.", "event."
)
docs("docs-troubleshooting", "docs/home-assistant.md", "When something is wrong", "unavailable")
docs("docs-use-cases", "docs/home-assistant.md", "What it is good for", "quarantine")


@rule("dynamic-devices", "gold", "entities::a_new_device_appears_without_a_reload")
def dynamic_devices(project: Project) -> Iterator[str]:
    """A device that comes has its entities at once."""
    for name in project.platforms:
        # The connection is the gateway's own
        if name != "binary_sensor" and not project.calls("async_add_device_entities", name):
            yield f"{name}.py adds no entities of devices that come"


@rule("entity-category", "gold", "snapshots::platform")
def entity_category(project: Project) -> Iterator[str]:
    """What tells of the gateway's health is diagnostic."""
    if not _keywords(project, "entity_category"):
        yield "no entity has a category"


@rule("entity-device-class", "gold", "snapshots::platform")
def entity_device_class(project: Project) -> Iterator[str]:
    """Rates, totals and the connection have device classes."""
    found = {ast.unparse(each) for each in _keywords(project, "device_class")}
    for each in ("SensorDeviceClass.DATA_RATE", "SensorDeviceClass.DATA_SIZE"):
        if each not in found:
            yield f"no sensor is {each}"
    if "BinarySensorDeviceClass.CONNECTIVITY" not in found:
        yield "the connection is no CONNECTIVITY"


@rule("entity-disabled-by-default", "gold", "snapshots::platform")
def entity_disabled_by_default(project: Project) -> Iterator[str]:
    """What few people want is there, but disabled."""
    values = _keywords(project, "entity_registry_enabled_default")
    if not any(isinstance(each, ast.Constant) and each.value is False for each in values):
        yield "no entity is disabled by default"


@rule("entity-translations", "gold", "translations::every_entity_has_a_name_and_an_icon")
def entity_translations(project: Project) -> Iterator[str]:
    """Each entity's name is translated, into every language."""
    for name, node in project.nodes(ast.Call):
        if called(node).endswith("Description") and keyword(node, "key") is not None:
            key = keyword(node, "translation_key")
            if keyword(node, "name") is not None:
                yield f"{name}.py names an entity in one language only"
            if key is None:
                yield f"{name}.py: {ast.unparse(node)[:60]} has no translation_key"
    for platform in project.platforms:
        if not project.words["entity"].get(platform):
            yield f"no entity of {platform} has a name"


@rule("exception-translations", "gold", "translations::every_exception_has_a_message")
def exception_translations(project: Project) -> Iterator[str]:
    """What goes wrong is said in the user's language."""
    for name, node in project.nodes(ast.Call):
        if called(node) in ERRORS and keyword(node, "translation_key") is None:
            yield f"{name}.py line {node.lineno}: {called(node)} without a translation_key"
        key = keyword(node, "translation_key")
        if isinstance(key, ast.Constant) and called(node) in ERRORS:
            known = project.words["exceptions"]
            if str(key.value) not in known:
                yield f"{key.value!s} has no words"


@rule("icon-translations", "gold", "translations::every_entity_has_a_name_and_an_icon")
def icon_translations(project: Project) -> Iterator[str]:
    """Icons are in icons.json, for actions, triggers and conditions, too."""
    for name, node in project.nodes(ast.Assign):
        if any("_attr_icon" in ast.unparse(target) for target in node.targets):
            yield f"{name}.py sets an icon"
    if _keywords(project, "icon"):
        yield "a description has an icon"
    for platform, entities in project.words["entity"].items():
        if missing := set(entities) - set(project.icons["entity"].get(platform, {})):
            yield f"no icon for {platform}: {', '.join(sorted(missing))}"
    for table in ("services", "triggers", "conditions"):
        if missing := set(project.table(f"{table}.yaml")) - set(project.icons.get(table, {})):
            yield f"no icon for {table}: {', '.join(sorted(missing))}"


@rule("reconfiguration-flow", "gold", "config_flow::reconfigure_changes_the_interfaces")
def reconfiguration_flow(project: Project) -> Iterator[str]:
    """What was set up can be changed."""
    if not project.defines("async_step_reconfigure"):
        yield "there is no async_step_reconfigure"


@rule(
    "repair-issues",
    "gold",
    "repairs::every_issue_has_words_and_a_way_out",
    "repairs::every_issue_is_documented",
)
def repair_issues(project: Project) -> Iterator[str]:
    """What somebody has to do something about is a repair, with a way out."""
    if not project.calls("async_create_issue"):
        yield "no issue is ever created"
    if not project.defines("async_create_fix_flow", "repairs"):
        yield "no issue can be mended"
    if not project.calls("async_delete_issue"):
        yield "no issue ever ends"


@rule(
    "stale-devices",
    "gold",
    "stale::what_is_not_seen_for_long_goes_and_comes_back_when_it_speaks",
    "entities::a_device_that_the_sensor_forgets_can_be_removed_and_come_back",
)
def stale_devices(project: Project) -> Iterator[str]:
    """What is gone for long goes by itself; the rest can be removed."""
    if not project.defines("async_remove_config_entry_device", "__init__"):
        yield "a device cannot be removed"
    if not project.calls("async_remove_device", "stale"):
        yield "no device goes by itself"


def _keywords(project: Project, name: str) -> list[ast.expr]:
    """Return what descriptions of entities are given by this keyword."""
    return [
        value
        for _, node in project.nodes(ast.Call)
        if called(node).endswith("Description") and (value := keyword(node, name)) is not None
    ]
