"""pyroute2's rtnetlink without the rest of pyroute2: importing the whole package costs 7 MB more to stay resident."""

import importlib.util
import sys
import types
from typing import Any


def _without_init(name: str) -> None:
    """Make a package importable by its parts only, its own __init__ never run."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.submodule_search_locations is None:
        raise ImportError(f"{name} is missing", name=name)
    package = types.ModuleType(name)
    package.__path__ = list(spec.submodule_search_locations)
    sys.modules[name] = package


def _rtnetlink() -> Any:
    """Return pyroute2's IPRoute class."""
    if "pyroute2" not in sys.modules:
        _without_init("pyroute2")
        try:
            return importlib.import_module("pyroute2.iproute.linux").IPRoute
        except (ImportError, AttributeError):  # a version that is arranged otherwise: take it whole
            for name in [each for each in sys.modules if each.split(".")[0] == "pyroute2"]:
                del sys.modules[name]
    return importlib.import_module("pyroute2").IPRoute


IPRoute: Any = _rtnetlink()
NetlinkError: Any = importlib.import_module("pyroute2.netlink.exceptions").NetlinkError
