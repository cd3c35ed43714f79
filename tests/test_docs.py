"""The pages agree with the code: names, defaults, exit codes, citations, links; and every code block runs."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

import tvwire
from tvwire import errors
from tvwire.client.load import NAMES, load_settings_with_origins

if TYPE_CHECKING:
    from tvwire.emulator import Emulator

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
TOP = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")]
NOTICE = (
    "not affiliated with TradingView; TradingView is a trademark of TradingView, Inc.; "
    "its terms restrict automated and non-display use, and the user decides."
)
NOT_RUN = 0
"""How many code blocks are marked as not run; each has its reason beside it."""


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def flat(words: str) -> str:
    return " ".join(words.replace("\\\n", "").split())


# -- code blocks -----------------------------------------------------------------------------------------


FENCE = re.compile(r"(?:^<!-- not run: (.+?) -->\n)?^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OTHER_FENCE = re.compile(r"^```(?:sh|toml|text).*?^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A fenced block of Python."""

    place: str
    code: str
    not_run: str | None

    @property
    def is_test(self) -> bool:
        return re.search(r"^def test_", self.code, re.MULTILINE) is not None


def blocks() -> Iterator[Block]:
    for page in PAGES:
        words = page.read_text(encoding="utf-8")
        for match in FENCE.finditer(words):
            line = words.count("\n", 0, match.start(2)) + 1
            yield Block(f"{page.name}:{line}", match[2], match[1])


BLOCKS = list(blocks())


@pytest.mark.parametrize(
    "block", [b for b in BLOCKS if b.not_run is None and not b.is_test], ids=lambda block: str(block.place)
)
def test_a_code_block_runs(
    block: Block, emulator: Emulator, endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(block.code, block.place, "exec"), {"__name__": "__main__", "emulator": emulator})


def test_the_tests_in_the_pages_pass(tmp_path: Path) -> None:
    found = [block for block in BLOCKS if block.not_run is None and block.is_test]
    for number, block in enumerate(found):
        (tmp_path / f"test_{number}.py").write_text(f"# {block.place}\n{block.code}", encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers\nfilterwarnings = error\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:asyncio", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(rf"\b{len(found)} passed", done.stdout)


def test_few_blocks_are_not_run_and_each_says_why() -> None:
    assert [block.not_run for block in BLOCKS if block.not_run is not None and not block.not_run.strip()] == []
    assert sum(block.not_run is not None for block in BLOCKS) == NOT_RUN
    assert len(BLOCKS) > 15


# -- errors ----------------------------------------------------------------------------------------------


def error_rows() -> dict[str, list[str]]:
    rows = re.findall(r"^\| `(\w+)` \|(.*)\|$", text("docs/errors.md"), re.MULTILINE)
    return {name: [cell.strip() for cell in rest.split("|")] for name, rest in rows if hasattr(errors, name)}


def test_the_page_of_errors_names_each_and_no_other() -> None:
    assert sorted(error_rows()) == errors.__all__


@pytest.mark.parametrize("name", errors.__all__)
def test_the_page_of_errors_agrees_with_the_code(name: str) -> None:
    exit_code = pytest.importorskip("tvwire.cli.failure").exit_code
    _, retry, _, code = error_rows()[name]
    cls = getattr(errors, name)
    assert (retry, int(code)) == ("yes" if cls.retryable else "no", exit_code(cls("text")))


def test_reserved_errors_are_not_raised() -> None:
    words = text("docs/errors.md").partition("## Reserved")[2].partition("\n## ")[0]
    leaves = {name for name in errors.__all__ if not getattr(errors, name).__subclasses__()}
    assert set(re.findall(r"`(\w+)`", words)) == leaves - raised()


def raised() -> set[str]:
    """Return the exceptions that some file imports and calls."""
    found = set()
    for path in (ROOT / "src").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        nodes = list(ast.walk(tree))
        imported = {
            alias.name
            for node in nodes
            if isinstance(node, ast.ImportFrom) and (node.module or "").endswith("errors")
            for alias in node.names
        }
        called = {node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
        found |= imported & called
    return found


# -- settings --------------------------------------------------------------------------------------------


def test_the_page_of_settings_has_each_with_default_and_variable() -> None:
    rows = re.findall(r"^\| `([a-z_.]+)` \| `?([^|`]+)`? \| `(TVWIRE_\w+)` \|", text("docs/settings.md"), re.MULTILINE)
    defaults = {
        origin.name: origin.value for origin in load_settings_with_origins(environ={}, path="/dev/null").origins
    }
    defaults["endpoint"] = "data"
    assert [name for name, _, _ in rows] == list(NAMES)
    for name, default, variable in rows:
        assert variable == f"TVWIRE_{name.upper().replace('.', '_')}"
        known = defaults[name]
        assert float(default) == float(known) if known[:1].isdigit() else default == known, name


def test_the_file_on_the_page_of_settings_loads(tmp_path: Path) -> None:
    sample = re.search(r"```toml\n(.*?)```", text("docs/settings.md"), re.DOTALL)
    assert sample is not None
    file = tmp_path / "config.toml"
    file.write_text(sample[1], encoding="utf-8")
    file.chmod(0o600)
    paid = tvwire.load_settings(path=file, profile="paid", environ={})
    assert (paid.plan, paid.timeouts.request, paid.token is not None) == ("premium", 120, True)
    assert tvwire.load_settings(path=file, profile="lab", environ={}).endpoints.local


# -- the protocol page, links, names ---------------------------------------------------------------------


def test_each_citation_of_the_protocol_page_finds_its_section() -> None:
    sections = set(re.findall(r"^#{2,3} ([0-9]+b?(?:\.[0-9]+)?)[. ]", text("docs/protocol.md"), re.MULTILINE))
    lost = []
    for folder in ("src", "tests", "bench", "examples"):
        for path in (ROOT / folder).rglob("*.py"):
            words = re.sub(r"\s*\n\s*#?\s*", " ", path.read_text(encoding="utf-8"))
            for cited in re.findall(r"docs/protocol\.md, sections? ((?:[0-9]+b?(?:\.[0-9]+)?(?:, | and )?)+)", words):
                lost += [f"{path.name}: {n}" for n in re.findall(r"[0-9]+b?(?:\.[0-9]+)?", cited) if n not in sections]
    assert lost == []


def test_sections_cited_inside_the_protocol_page_exist() -> None:
    page = text("docs/protocol.md")
    sections = set(re.findall(r"^#{2,3} ([0-9]+b?(?:\.[0-9]+)?)[. ]", page, re.MULTILINE))
    cited = set(re.findall(r"sections? ([0-9]+b?(?:\.[0-9]+)?)", page))
    assert cited - sections == set()


def anchors(page: Path) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head.lower()).strip().replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", sorted({*PAGES, *TOP}), ids=lambda page: str(page.name))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    lost = []
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name) if name else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            lost.append(target)
    assert lost == []


@pytest.mark.parametrize("page", sorted({*PAGES, *TOP}), ids=lambda page: str(page.name))
def test_names_of_tvwire_in_the_pages_exist(page: Path) -> None:
    words = re.sub(
        r"^```(?:sh|toml|text).*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )
    lost = [name for name in set(re.findall(r"`(tvwire(?:\.\w+)+)", words)) if not exists(name)]
    assert lost == []


def exists(name: str) -> bool:
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for part in parts[cut:]:
            if part in getattr(found, "__annotations__", {}):
                return True  # a field of a struct or a dataclass, or an attribute set by __init__
            if not hasattr(found, part):
                return set_by_init(found, part)
            found = getattr(found, part)
        return True
    return False


def set_by_init(cls: Any, name: str) -> bool:
    return isinstance(cls, type) and name in cls.__init__.__code__.co_names


def test_the_notice_is_where_users_look() -> None:
    site = tomllib.loads(text("zensical.toml"))["project"]["copyright"]
    for words in (text("README.md"), text("docs/index.md"), text("docs/responsible-use.md"), site):
        assert NOTICE in flat(words)


def test_the_readme_opens_with_the_two_commands() -> None:
    code = re.search(r"```sh\n(.*?)```", text("README.md"), re.DOTALL)
    assert code is not None
    assert [line.split("#")[0].strip() for line in code[1].splitlines()] == ["make demo", "make test"]
