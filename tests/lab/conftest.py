"""Labs for the tests, named after this run so that it meets no other."""

import os
from collections.abc import Iterator

import pytest

from lab import Lab


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """A lab that stands, shared by a file's tests."""
    lab = Lab(f"t{os.getpid()}")
    lab.up()
    yield lab
    lab.down()


@pytest.fixture
def spare() -> Iterator[Lab]:
    """A lab that is not there yet."""
    lab = Lab(f"s{os.getpid()}")
    lab.down()
    yield lab
    lab.down()
