"""Every word that Home Assistant can be asked to show exists, and every service is described."""

import ast
import dataclasses
import json
import typing
from pathlib import Path
from typing import Any

import pytest
import yaml
from homeassistant.helpers.service import _SERVICES_SCHEMA

import custom_components.hearthwall as integration
from custom_components.hearthwall import (
    binary_sensor,
    device_tracker,
    event,
    feed_actions,
    flow_forms,
    issues,
    options_flow,
    rule_fields,
    sensor,
    switch,
)
from custom_components.hearthwall.bpf.hearthwall_sensor.errors import ERRORS
from custom_components.hearthwall.bpf.hearthwall_sensor.feeds.formats import AUTO, FORMATS
from custom_components.hearthwall.bpf.hearthwall_sensor.kinds import KINDS, SEVERITIES, Severity
from custom_components.hearthwall.bpf.hearthwall_sensor.modes import (
    ALLOWANCES,
    AUDITABLE,
    DIRECTIONS,
    MODES,
    TRANSPORTS,
)
from custom_components.hearthwall.bpf.hearthwall_sensor.protocol import FeedAction
from custom_components.hearthwall.bpf.hearthwall_sensor.requests import AddBlock, AddFeed, GetFlows
from custom_components.hearthwall.bpf.hearthwall_sensor.usage import DIMENSIONS
from custom_components.hearthwall.process import PROCESS_ERRORS
from custom_components.hearthwall.services import ACTIONS

FOLDER = Path(integration.__file__).parent
WORDS = json.loads((FOLDER / "translations" / "en.json").read_text())
ICONS = json.loads((FOLDER / "icons.json").read_text())
SERVICES = yaml.safe_load((FOLDER / "services.yaml").read_text())

DESCRIPTIONS = {
    "binary_sensor": [binary_sensor.CONNECTION],
    "device_tracker": [device_tracker.PRESENCE],
    "event": [event.SECURITY],
    "sensor": [
        *sensor.DEVICE_SENSORS,
        *sensor.GATEWAY_SENSORS,
        *sensor.RULE_SENSORS,
        sensor.feed_hits("drop"),
    ],
    "switch": [switch.QUARANTINE],
}

#: Errors that can meet whoever sets a gateway up; the others are answers to orders.
ORDERS_ONLY = {
    "feed_failed",
    "invalid_duration",
    "invalid_feed",
    "invalid_mode",
    "invalid_mud",
    "invalid_policy",
    "invalid_target",
    "message_too_large",
    "not_found",
    "not_initialized",
    "protected_target",
    "read_only",
    "several_rules",
    "table_full",
    "unknown_command",
}


def sources() -> list[ast.AST]:
    return [ast.parse(path.read_text()) for path in sorted(FOLDER.glob("*.py"))]


def literals(keyword: str) -> set[str]:
    """Return every literal that is passed as this keyword anywhere in the integration."""
    return {
        constant.value
        for tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.keyword) and node.arg == keyword
        for constant in ast.walk(node.value)
        if isinstance(constant, ast.Constant) and isinstance(constant.value, str)
    }


def test_every_entity_has_a_name_and_an_icon() -> None:
    for domain, descriptions in DESCRIPTIONS.items():
        keys = {each.translation_key for each in descriptions}
        assert keys == set(WORDS["entity"][domain]), domain
        assert keys == set(ICONS["entity"][domain]), domain
        assert all(each["name"] for each in WORDS["entity"][domain].values())


def test_every_exception_has_a_message() -> None:
    used = literals("translation_key") & set(WORDS["exceptions"])
    raised = {"no_gateway", "not_a_device", "no_devices", "too_many_live_views"}
    assert raised | {"some_failed", "all_failed"} <= used
    assert set(WORDS["exceptions"]) == used | set(ERRORS) | set(PROCESS_ERRORS)
    say_all = {"not_root", "command_timeout", "start_timeout"}
    for key in (*ERRORS, *PROCESS_ERRORS):
        message = WORDS["exceptions"][key]["message"]
        assert ("{message}" in message) == (key not in say_all), key
        message.format(message="detail")


def test_every_error_of_the_flow_has_a_sentence() -> None:
    of_fields = {
        "no_interface_chosen",
        "interface_on_both_sides",
        "path_not_absolute",
        "path_too_long",
        "invalid_address",
        "invalid_token",
        "invalid_fingerprint",
    }
    of_check = {"parts_missing", "no_interfaces"}
    expected = (set(ERRORS) | set(PROCESS_ERRORS)) - ORDERS_ONLY | of_fields | of_check
    assert set(WORDS["config"]["error"]) == expected
    for sentence in WORDS["config"]["error"].values():
        sentence.format(message="detail")


def test_every_step_and_progress_has_words() -> None:
    steps = literals("step_id") - {"init", "start"} - {"this_host"}
    repairs = [each.get("fix_flow", {}) for each in WORDS["issues"].values()]
    assert steps - {step for each in repairs for step in each.get("step", {})} == set(
        WORDS["config"]["step"]
    )
    progress = {"check", "start"}
    assert progress == set(WORDS["config"]["progress"])
    assert {"init"} == set(WORDS["options"]["step"])
    ways = {"this_host", "existing", "remote"}
    assert set(WORDS["config"]["step"]["user"]["menu_options"]) == ways
    for step in ("remote", "discovered", "reauth_confirm"):
        assert set(WORDS["config"]["step"][step]["menu_options"]) == {"code", "token"}
    ends = {"already_configured", "reauth_successful", "reconfigure_successful"}
    of_repairs = {end for each in repairs for end in each.get("abort", {})}
    assert set(WORDS["config"]["abort"]) == literals("reason") - {"", *of_repairs} | ends


def fields(schema: Any) -> set[str]:
    """Return a schema's keys, from within whatever wraps it."""
    while not isinstance(schema, dict):
        schema = schema.schema if hasattr(schema, "schema") else schema.validators[0]
    return {str(key) for key in schema}


def test_every_field_is_named_and_described() -> None:
    steps = WORDS["config"]["step"]
    paths = steps["interfaces"]["sections"][flow_forms.SECTION_PATHS]
    for words, expected in (
        (steps["existing"], fields(flow_forms.EXISTING_SCHEMA)),
        (steps["token"], fields(flow_forms.REMOTE_SCHEMA)),
        (steps["code"], fields(flow_forms.PLACE_SCHEMA.extend(flow_forms.CODE_SCHEMA.schema))),
        (
            steps["interfaces"],
            fields(flow_forms.interfaces_schema([])) - {flow_forms.SECTION_PATHS},
        ),
        (paths, fields(flow_forms.PATHS_SCHEMA)),
        *(
            (WORDS["options"]["step"]["init"]["sections"][name], fields(schema))
            for name, schema in options_flow.SECTIONS.items()
        ),
    ):
        assert set(words["data"]) == expected
        assert set(words["data_description"]) == expected


def test_every_section_of_the_options_is_named_and_described() -> None:
    sections = WORDS["options"]["step"]["init"]["sections"]
    assert set(sections) == fields(options_flow.OPTIONS_SCHEMA) == set(options_flow.SECTIONS)
    assert all(each["name"] and each["description"] for each in sections.values())


def test_services_are_valid_for_home_assistant() -> None:
    assert _SERVICES_SCHEMA(SERVICES)


TARGET_FIELDS = {"metadata", "entity_id", "device_id", "area_id", "floor_id", "label_id"}
SCHEMAS = {action.name: fields(action.schema) - TARGET_FIELDS for action in ACTIONS}


def described_fields(service: str) -> dict[str, Any]:
    """Return the fields that the user interface offers, those in sections, too."""
    found: dict[str, Any] = {}
    for name, field in SERVICES[service].get("fields", {}).items():
        found |= field.get("fields", {name: field})
    return found


def test_every_action_is_described() -> None:
    assert set(ICONS["services"]) == set(WORDS["services"]) == set(SERVICES) == set(SCHEMAS)


@pytest.mark.parametrize("service", SCHEMAS)
def test_every_field_of_an_action_is_described(service: str) -> None:
    described = set(described_fields(service))
    assert described == SCHEMAS[service]
    words = WORDS["services"][service]
    assert words["name"]
    assert words["description"]
    assert set(words.get("fields", {})) == described
    assert all(each["name"] and each["description"] for each in words.get("fields", {}).values())
    sections = {
        name for name, each in SERVICES[service].get("fields", {}).items() if "fields" in each
    }
    assert set(words.get("sections", {})) == sections


@pytest.mark.parametrize("service", SCHEMAS)
def test_every_field_shows_by_an_example_or_a_default_what_it_takes(service: str) -> None:
    for name, field in described_fields(service).items():
        assert field.keys() & {"example", "default"} or name == "config_entry_id", name


def test_what_an_order_can_say_an_action_can_say() -> None:
    rule = {each.name for each in dataclasses.fields(AddBlock)} - {"target"}
    fields_of_rules = {**rule_fields.RULE_FIELDS, **rule_fields.PROCESS_FIELDS}
    assert {str(key) for key in fields_of_rules} == rule
    feed = {each.name for each in dataclasses.fields(AddFeed)}
    assert {str(key) for key in feed_actions.FEED_FIELDS} == feed


CHOICES = {
    ("block", "mode"): MODES,
    ("block", "allow"): ALLOWANCES,
    ("block", "transport"): TRANSPORTS,
    ("block", "direction"): DIRECTIONS,
    ("block", "audits"): AUDITABLE,
    ("get_blocks", "mode"): MODES,
    ("add_feed", "action"): typing.get_args(FeedAction),
    ("add_feed", "format"): [AUTO, *FORMATS],
    ("get_events", "kind"): KINDS,
    ("get_events", "severity"): SEVERITIES,
    ("accept", "kind"): KINDS,
    ("get_usage", "by"): DIMENSIONS,
    ("get_flows", "of"): typing.get_args(typing.get_type_hints(GetFlows)["of"]),
}


@pytest.mark.parametrize(("service", "field"), CHOICES)
def test_every_choice_has_a_word(service: str, field: str) -> None:
    select = described_fields(service)[field]["selector"]["select"]
    choices = set(CHOICES[service, field])
    assert set(select["options"]) == choices
    assert set(WORDS["selector"][select["translation_key"]]["options"]) == choices


def test_every_state_has_a_word() -> None:
    assert set(WORDS["entity"]["sensor"]["rule"]["state"]) == set(
        sensor.RULE_SENSORS[0].options or ()
    )
    said = WORDS["entity"]["event"]["security"]["state_attributes"]
    assert set(said["event_type"]["state"]) == set(event.SECURITY.event_types or ())
    pictured = ICONS["entity"]["event"]["security"]["state_attributes"]["event_type"]["state"]
    assert set(pictured) == set(KINDS)
    assert set(said["severity"]["state"]) == set(typing.get_args(Severity))


@pytest.mark.parametrize("page", [issues.LEARN_MORE, issues.LEARN_MORE_REPAIRS])
def test_what_there_is_to_learn_of_an_issue_is_written(page: str) -> None:
    document, _, section = page.rsplit("/main/", maxsplit=1)[1].partition("#")
    text = (FOLDER.parents[1] / document).read_text()
    assert not section or f"# {section.capitalize()}\n" in text


def test_manifest_is_sorted_as_hassfest_wants_it() -> None:
    keys = list(json.loads((FOLDER / "manifest.json").read_text()))
    assert keys == ["domain", "name", *sorted(set(keys) - {"domain", "name"})]
    assert FOLDER.name == "hearthwall"


@pytest.mark.parametrize(("name", "size"), [("icon.png", 256), ("icon@2x.png", 512)])
def test_brand_has_its_icons(name: str, size: int) -> None:
    header = (FOLDER / "brand" / name).read_bytes()[:24]
    assert header[:8] == b"\x89PNG\r\n\x1a\n"
    assert (int.from_bytes(header[16:20]), int.from_bytes(header[20:24])) == (size, size)
