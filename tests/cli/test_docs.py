"""Every command and option has help and an entry in docs/cli.md, and what the page shows is true."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tvwire import errors
from tvwire.cli.app import COMMANDS, make_app
from tvwire.cli.failure import exit_code

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "cli.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))


def options_of(command: str) -> Iterator[tuple[str, str, str]]:
    """Yield name, help and group of each option of a command."""
    for argument in make_app()[command].assemble_argument_collection(parse_docstring=True):
        if not argument.children:
            group = argument.parameter.group
            for name in argument.names:
                if name.startswith("-"):
                    yield name, argument.parameter.help or "", getattr((group or ("",))[0], "name", "")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_a_section(run: Callable[..., Any], command: str) -> None:
    done = run(command, "--help")
    assert done.code == 0
    assert COMMANDS[command].rstrip(".").split(",")[0] in " ".join(done.out.split())
    assert command in SECTIONS
    assert f"tvwire {command}" in SECTIONS[command]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_explained_and_documented(command: str) -> None:
    found = list(options_of(command))
    assert found
    for name, text, group in found:
        assert text, f"{command} {name} has no help"
        section = "Options of every command" if group in ("Connection", "Output") else command
        assert re.search(rf"`{re.escape(name)}`", SECTIONS[section]), f"{name} is not in the section {section}"


def examples() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.startswith("tvwire ")]


@pytest.mark.parametrize("line", examples())
def test_every_example_is_a_command_that_exists(line: str) -> None:
    words = shlex.split(line)[1:]
    words = words[: words.index("<")] if "<" in words else words
    command, _, unused, *_ = make_app().parse_known_args(words)
    assert (words[0].startswith("-") or command.__name__ == words[0], unused) == (True, [])


def test_the_page_of_errors_tells_the_exit_codes_of_the_code() -> None:
    page = (DOCS / "errors.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| `(\w+)` \|.*\| (\d+) \|$", page, re.MULTILINE)
    assert len(told) > 20
    for name, code in told:
        assert (name, int(code)) == (name, exit_code(getattr(errors, name)("x")))
