"""What all tests share: the integration is imported before a `hass` fixture looks for one of its own."""

from collections.abc import Callable

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
    items.sort(key=_longest_first([*items]))


def _longest_first(items: list[pytest.Item]) -> Callable[[pytest.Item], tuple[float, str]]:
    """Return what puts the files that take longest at the head: the short ones fill what is left of a run's end.

    How long a file's tests may take says how long they do; and those with a browser or a lab wait for much.
    """
    longest: dict[str, float] = {}
    for item in items:
        limit = item.get_closest_marker("timeout")
        seconds = float(limit.args[0]) if limit is not None and limit.args else 0.0
        waits = 1000.0 if item.get_closest_marker("browser") else 0.0
        waits += 100.0 if item.get_closest_marker("lab") else 0.0
        path = str(item.path)
        longest[path] = max(longest.get(path, 0.0), seconds + waits)
    return lambda item: (-longest[str(item.path)], str(item.path))
