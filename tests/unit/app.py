"""The app's program as a module: in its image it has no suffix, and its parts belong to no package."""

import importlib.util
import sys
from pathlib import Path

APP = Path(__file__).resolve().parents[2] / "app"

_spec = importlib.util.spec_from_file_location("hearthwall_app", APP / "run.py")
assert _spec is not None
assert _spec.loader is not None
run = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(run)
chosen, supervisor, watch = (sys.modules[name] for name in ("chosen", "supervisor", "watch"))
