"""The three rules of platinum."""

import ast
import re
from collections.abc import Iterator

from quality.project import Project, called
from quality.rule import rule

#: What blocks the loop that Home Assistant runs on.
BLOCKING = {"requests", "urllib", "socket", "http", "websocket", "websockets", "httplib2"}


@rule("async-dependency", "platinum")
def async_dependency(project: Project) -> Iterator[str]:
    """The client speaks with the sensor on the event loop."""
    client = project.integration / "bpf" / "hearthwall_sensor" / "client.py"
    tree = ast.parse(client.read_text())
    imported = {
        each.name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for each in node.names
    } | {
        (node.module or "").partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and not node.level
    }
    if "aiohttp" not in imported:
        yield "the client does not use aiohttp"
    if blocking := imported & BLOCKING:
        yield f"the client uses {', '.join(sorted(blocking))}"
    for name, node in project.nodes(ast.Call):
        if ast.unparse(node.func) in {"time.sleep", "subprocess.run", "subprocess.Popen"}:
            yield f"{name}.py blocks by {ast.unparse(node.func)}"


@rule("inject-websession", "platinum")
def inject_websession(project: Project) -> Iterator[str]:
    """The client takes a session; one that leads to another host is Home Assistant's own."""
    client = (project.integration / "bpf" / "hearthwall_sensor" / "client.py").read_text()
    takes = any(
        isinstance(node, ast.FunctionDef)
        and node.name == "__init__"
        and "aiohttp.ClientSession" in ast.unparse(node.args)
        for node in ast.walk(ast.parse(client))
    )
    if not takes:
        yield "the client makes a session of its own"
    if not project.calls("async_get_clientsession", "connection"):
        yield "the session is not Home Assistant's"
    for name, node in project.nodes(ast.Call):
        if called(node) == "ClientSession":
            yield f"{name}.py makes a session of its own"


@rule("strict-typing", "platinum")
def strict_typing(project: Project) -> Iterator[str]:
    """Mypy is strict on both halves, and nothing is left out."""
    settings = project.text("pyproject.toml")
    if "strict = true" not in settings:
        yield "mypy is not strict"
    if "mypy" not in project.text("scripts/lint") or "custom_components" not in project.text(
        "scripts/lint"
    ):
        yield "scripts/lint does not run mypy on the integration"
    for name, function in project.functions():
        arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
        if any(each.annotation is None and each.arg not in {"self", "cls"} for each in arguments):
            yield f"{name}.py: {function.name} takes something without a type"
        if function.returns is None:
            yield f"{name}.py: {function.name} returns something without a type"
    for path in sorted(project.integration.glob("*.py")):
        if re.search(r"# type: ignore(?!\[)", path.read_text()):
            yield f"{path.name} ignores any type"
