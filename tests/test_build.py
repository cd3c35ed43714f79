"""How the package is built: with its compiled part, or without where that cannot be."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
CODE = """
import sys
sys.path.insert(0, sys.argv[1])
from hatch_build import NativeHook

class App:
    def display_warning(self, text):
        print("warned:", text)

hook = NativeHook(sys.argv[1], {}, None, None, sys.argv[1], "wheel", App())
data = {"force_include": {}}
hook.initialize(sys.argv[2], data)
print(sorted(data["force_include"].values()), data.get("infer_tag"))
"""

pytest.importorskip("hatchling", reason="hatchling is not installed")
pytest.importorskip("setuptools", reason="setuptools is not installed")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what is compiled, and of what compiles it."""
    shutil.copytree(ROOT / "native", tmp_path / "native")
    shutil.copy(ROOT / "hatch_build.py", tmp_path)
    (tmp_path / "src/tvwire/wire").mkdir(parents=True)
    return tmp_path


def build(tree: Path, version: str = "standard", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", CODE, str(tree), version],
        capture_output=True,
        text=True,
        cwd=tree,
        env={"PATH": "/usr/bin:/bin", **environment},
    )


def built(tree: Path) -> Path:
    return tree / f"src/tvwire/wire/_native{sysconfig.get_config_var('EXT_SUFFIX')}"


@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")
@pytest.mark.skipif(
    not Path(sysconfig.get_path("include"), "Python.h").exists(), reason="Python's headers are not installed"
)
def test_the_compiled_part_is_built_and_reads(tree: Path) -> None:
    done = build(tree, TVWIRE_NATIVE="1")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"['tvwire/wire/{built(tree).name}'] True"
    spec = importlib.util.spec_from_file_location("_native", built(tree))
    assert spec is not None
    module: Any = importlib.util.module_from_spec(spec)
    (packet,) = module.Reader(limit=100).read(b"~m~5~m~~h~42")
    assert packet == b"~h~42"
    assert build(tree, "editable").stdout.splitlines()[-1] == "[] None"  # it lies beside the sources
    assert built(tree).exists()
    build(tree, "editable", TVWIRE_PURE="1")
    assert not built(tree).exists()


def test_without_a_compiler_it_is_left_out_with_a_warning(tree: Path) -> None:
    done = build(tree, CC="no-such-compiler")
    assert done.returncode == 0, done.stderr
    warning, answer = done.stdout.splitlines()[-2:]
    assert warning.startswith("warned: tvwire is installed without its compiled part: ")
    assert answer == "[] None"
    assert not built(tree).exists()


def test_it_can_be_refused_or_insisted_on(tree: Path) -> None:
    assert build(tree, TVWIRE_PURE="1").stdout == "[] None\n"
    assert not built(tree).exists()
    done = build(tree, TVWIRE_NATIVE="1", CC="no-such-compiler")
    assert done.returncode != 0
    assert "no-such-compiler" in done.stderr


def test_what_was_built_from_other_sources_is_not_used() -> None:
    code = """
import sys, types
other = sys.modules["tvwire.wire._native"] = types.ModuleType("_native")
other.__dict__.update(dict.fromkeys(["Change", "Form", "Reader", "Row", "Update", "bars"]), API=-1)
from tvwire.wire import native
print(native.COMPILED, native.Reader, native.bars, native.Row)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False None None <class 'tvwire.wire.native.Row'>\n"
