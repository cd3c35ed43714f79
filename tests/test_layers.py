"""Imports point down: the drawing of docs/concepts.md, checked against the code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src" / "tvwire"

LEAVES = {"errors", "models", "quote", "quote_values", "timeframe", "symbols", "settings", "secret", "version"}
BELOW = {
    "wire": LEAVES,
    "session": {"wire", *LEAVES},
    "rest": LEAVES,
    "net": {"session", "rest", "wire", *LEAVES},
    "client": {"net", "session", "rest", *LEAVES},
    "emulator": {"wire", *LEAVES},
    # frames and files: imported only inside the to_… methods of models, so that the leaves stay light
    "export": LEAVES,
    "models": {*LEAVES, "export"},
    "cli": {"wire", "emulator", "client", "export", *LEAVES},
}
IMPURE = {"asyncio", "socket", "time", "os", "random", "pathlib", "threading", "subprocess"}
PURE = LEAVES | {"wire", "session", "rest"}


def modules() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def room(path: Path) -> str:
    """Return the layer of a file: the folder, or the module's own name at the top."""
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return parts[0]


def imports(path: Path) -> Iterator[tuple[int, str, bool]]:
    """Yield line, absolute module name, and whether it is only for type checkers."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    package = ["tvwire", *path.relative_to(SOURCE).parts[:-1]]
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name, id(node) in typing_only
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            name = ".".join(part for part in (base, node.module or "") if part)
            if name == "tvwire":
                for alias in node.names:
                    yield node.lineno, f"tvwire.{alias.name}", id(node) in typing_only
            else:
                yield node.lineno, name, id(node) in typing_only


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_point_down(path: Path) -> None:
    here = room(path)
    allowed = BELOW.get(here, LEAVES) | {here}
    public = set(_public_names())
    for line, name, _ in imports(path):
        if here == "__init__" or not name.startswith("tvwire."):
            continue
        target = name.split(".")[1]
        if here == "cli" and target in public:
            continue  # edges use the names that tvwire exports
        assert target in allowed, f"{path.name}:{line} imports {name}; {here} may import {sorted(allowed)}"


@pytest.mark.parametrize(
    "path", [p for p in modules() if room(p) in PURE], ids=lambda path: str(path.relative_to(SOURCE))
)
def test_the_core_neither_waits_nor_reads_the_world(path: Path) -> None:
    for line, name, typing_only in imports(path):
        assert typing_only or name.split(".")[0] not in IMPURE, f"{path.name}:{line} imports {name}"


def test_importing_tvwire_imports_no_edge_and_no_extra() -> None:
    import subprocess
    import sys

    code = (
        "import sys, tvwire; "
        "print(sorted(m for m in sys.modules if m.split('.')[0] in "
        "{'pandas', 'polars', 'pyarrow', 'starlette', 'uvicorn', 'rich', 'cyclopts', 'plotext', 'simdjson'} "
        "or m.split('.')[:2] in (['tvwire', 'emulator'], ['tvwire', 'cli'])))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def _public_names() -> list[str]:
    tree = ast.parse((SOURCE / "__init__.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return list(ast.literal_eval(node.value))
    raise AssertionError("tvwire has no __all__")
