"""What all tests share: the integration is imported before a `hass` fixture looks for one of its own."""

import pytest
from hypothesis import settings

# pytest-homeassistant-custom-component brings a custom_components package, which would be found first
import custom_components.hearthwall  # noqa: F401

# How long one example takes says how busy the machine is: each test has a deadline of its own
settings.register_profile("hearthwall", deadline=None)
settings.load_profile("hearthwall")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name bytes by what they are for: they may be others in each process, and tests are told apart by name."""
    return argname if isinstance(val, bytes) and len(val) > 16 else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Try once more what failed on a real kernel or in a real browser; the summary tells each such test.

    They share two cores and have deadlines of a person's patience. What is broken fails twice.
    """
    for item in items:
        if item.get_closest_marker("lab") or item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=1))
