"""Nothing of Home Assistant runs in this process: what looks after its event loop is not wanted here."""

import pytest


@pytest.fixture(autouse=True)
def configure_event_loop() -> None:
    """Configure none: Playwright runs its own in this thread, and no other may begin."""


@pytest.fixture(autouse=True)
def enable_event_loop_debug() -> None:
    """Debug none."""


@pytest.fixture(autouse=True)
def verify_cleanup() -> None:
    """Verify none."""
