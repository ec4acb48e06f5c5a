"""The repository as the rules look at it: syntax trees, tables, words, documents, tests."""

import ast
import json
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

#: What lies in modules of these names, Home Assistant loads as a platform of entities.
PLATFORMS = ("binary_sensor", "device_tracker", "event", "sensor", "switch", "update", "button")


class Project:
    """A checkout."""

    def __init__(self, root: Path) -> None:
        """Take the checkout's folder."""
        self.root = root
        self.integration = root / "custom_components" / "hearthwall"
        self._tests: dict[str, set[str]] = {}

    @cached_property
    def modules(self) -> dict[str, ast.Module]:
        """Return the integration's modules by their names."""
        return {
            path.stem: ast.parse(path.read_text()) for path in sorted(self.integration.glob("*.py"))
        }

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """Return the manifest."""
        return self._json("manifest.json")

    @cached_property
    def icons(self) -> dict[str, Any]:
        """Return the icons."""
        return self._json("icons.json")

    @cached_property
    def words(self) -> dict[str, Any]:
        """Return what is said in English."""
        return self._json("translations/en.json")

    def _json(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.integration / name).read_text())
        return found

    def table(self, name: str) -> dict[str, Any]:
        """Return a YAML table of the integration, empty where there is no such file."""
        path = self.integration / name
        found: dict[str, Any] = yaml.safe_load(path.read_text()) if path.exists() else {}
        return {key: value for key, value in found.items() if not key.startswith(".")}

    def text(self, name: str) -> str:
        """Return a file of the checkout, empty where there is none."""
        path = self.root / name
        return path.read_text() if path.exists() else ""

    @cached_property
    def documents(self) -> str:
        """Return all that users are told in English, in one text."""
        return "\n".join(
            self.text(str(path.relative_to(self.root)))
            for path in [self.root / "README.md", *sorted((self.root / "docs").glob("*.md"))]
        )

    def section(self, document: str, heading: str) -> str:
        """Return what stands below a heading, as far as the next of its level or above."""
        found = re.search(
            rf"^(#+) {re.escape(heading)}$\n(.*?)(?=^#{{1,2}} |\Z)",
            self.text(document),
            re.MULTILINE | re.DOTALL,
        )
        return found[2].strip() if found else ""

    @property
    def platforms(self) -> dict[str, ast.Module]:
        """Return the modules with entities."""
        return {name: tree for name, tree in self.modules.items() if name in PLATFORMS}

    def nodes[NodeT: ast.AST](self, kind: type[NodeT], *names: str) -> Iterator[tuple[str, NodeT]]:
        """Yield every node of a kind in these modules, or in all, with its module's name."""
        for name in names or self.modules:
            for node in ast.walk(self.modules.get(name, ast.Module([], []))):
                if isinstance(node, kind):
                    yield name, node

    def functions(
        self, *names: str
    ) -> Iterator[tuple[str, ast.AsyncFunctionDef | ast.FunctionDef]]:
        """Yield the functions and methods of these modules, or of all."""
        yield from self.nodes(ast.FunctionDef, *names)
        yield from self.nodes(ast.AsyncFunctionDef, *names)

    def defines(self, function: str, *names: str) -> bool:
        """Tell whether there is a function or method of this name."""
        return any(node.name == function for _, node in self.functions(*names))

    def calls(self, function: str, *names: str) -> list[tuple[str, ast.Call]]:
        """Return the calls of a function or method by this name."""
        return [
            (name, node) for name, node in self.nodes(ast.Call, *names) if called(node) == function
        ]

    def has_test(self, identity: str) -> bool:
        """Tell whether there is a test, `file::name` below tests, that can fail and is not always skipped."""
        name, _, function = identity.partition("::")
        return function in self._tests_of(f"tests/{name}")

    def _tests_of(self, name: str) -> set[str]:
        if name not in self._tests:
            self._tests[name] = {
                node.name
                for node in ast.parse(self.text(name)).body
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
                and not any("skip" in ast.unparse(each) for each in node.decorator_list)
                and _asserts(node)
            }
        return self._tests[name]


def _asserts(test: ast.AST) -> bool:
    """Tell whether a test can fail by itself."""
    return any(
        isinstance(node, ast.Assert | ast.Await | ast.With | ast.Raise) or _is_check(node)
        for node in ast.walk(test)
    )


def _is_check(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ("check" in called(node) or "assert" in called(node))


def called(node: ast.Call) -> str:
    """Return the last name of what is called."""
    match node.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


def keyword(node: ast.Call, name: str) -> ast.expr | None:
    """Return what is passed by this keyword."""
    return next((each.value for each in node.keywords if each.arg == name), None)
