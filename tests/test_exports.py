"""Public names: sorted, documented, on the API page."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

import tvwire

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "tvwire"
NAMES = [name for name in tvwire.__all__ if name != "__version__"]
CLASSES = [name for name in NAMES if inspect.isclass(getattr(tvwire, name))]


def declared(path: Path) -> list[str] | None:
    """Return the ``__all__`` of a file, None when it has none."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return list(ast.literal_eval(node.value))
    return None


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE)))
def test_each_all_is_sorted_and_without_repeats(path: Path) -> None:
    names = declared(path)
    assert names is None or names == sorted(set(names), key=kind)


def test_the_package_exports_all_that_is_public_in_it() -> None:
    public = {name for name, value in vars(tvwire).items() if not name.startswith("_") and not inspect.ismodule(value)}
    assert public - {"annotations"} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_has_a_docstring_of_its_own(name: str) -> None:
    exported = getattr(tvwire, name)
    text = vars(exported).get("__doc__") if inspect.isclass(exported) else exported.__doc__
    assert text
    assert text.strip().splitlines()[0].endswith((".", ";", ","))


@pytest.mark.parametrize("name", CLASSES)
def test_public_members_have_docstrings(name: str) -> None:
    cls = getattr(tvwire, name)
    bare = [
        f"{name}.{member}"
        for member, value in vars(cls).items()
        if not member.startswith("_") and not documented(value) and is_code(value)
    ]
    assert bare == []


@pytest.mark.parametrize("name", CLASSES)
def test_fields_have_a_line_that_says_what_they_hold(name: str) -> None:
    cls = getattr(tvwire, name)
    if not (hasattr(cls, "__struct_fields__") or hasattr(cls, "__dataclass_fields__")):
        return
    body = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
    assert isinstance(body, ast.ClassDef)
    fields = [
        (node, following)
        for node, following in zip(body.body, body.body[1:], strict=False)
        if isinstance(node, ast.AnnAssign)
    ]
    bare = [ast.unparse(node.target) for node, following in fields if not is_text(following)]
    assert bare == []


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_is_on_the_api_page(name: str) -> None:
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    assert re.search(rf"^::: tvwire\.{name}$", page, re.MULTILINE)


def test_the_api_page_has_nothing_but_public_names() -> None:
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^::: tvwire\.(\w+)$", page, re.MULTILINE)) == sorted(NAMES)


def test_importing_tvwire_loads_no_transport_and_no_library_that_may_not_be_needed() -> None:
    heavy = {"httpx2", "httpcore2", "websockets", "picows", "stamina", "platformdirs", "simdjson"}
    code = f"import sys, tvwire; print(sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def kind(name: str) -> tuple[int, str]:
    """Order constants, then classes, then functions, as ruff does."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2), name


def documented(value: Any) -> bool:
    return bool(getattr(value, "__doc__", None))


def is_code(value: Any) -> bool:
    return isinstance(value, (FunctionType, property, classmethod, staticmethod)) or callable(value)


def is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
