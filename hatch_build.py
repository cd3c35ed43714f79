"""Builds the compiled part (``native/``) where there is a compiler; without one, tvwire is installed without it.

Set ``TVWIRE_PURE=1`` to leave it out, ``TVWIRE_NATIVE=1`` to fail rather than to go without.
"""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

MODULE = "tvwire.wire._native"
FOLDER = Path("src", *MODULE.split(".")[:-1])


class NativeHook(BuildHookInterface[Any]):
    """Compiles before a wheel is made; an editable wheel finds the result beside the sources."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and have the wheel named for this interpreter and machine."""
        if self.target_name != "wheel":
            return
        if version == "editable":
            self.clean([version])  # what an earlier installation has left beside the sources would be imported
        if os.environ.get("TVWIRE_PURE"):
            return
        try:
            built = compile_native(Path(self.root))
        except Exception as error:
            # whatever a compiler, its absence or that of setuptools raises
            if os.environ.get("TVWIRE_NATIVE"):
                raise
            self.app.display_warning(f"tvwire is installed without its compiled part: {error}")
            return
        if version == "editable":
            return  # it lies beside the sources, which are imported from there
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        build_data["force_include"][str(built)] = str(built.relative_to(Path(self.root, "src")))

    def clean(self, versions: list[str]) -> None:
        """Remove what was compiled."""
        for built in Path(self.root, FOLDER).glob("_native.*.*"):
            built.unlink()


def compile_native(root: Path) -> Path:
    """Compile the extension into the source tree; return its file."""
    from setuptools import Distribution, Extension
    from setuptools.command.build_ext import build_ext

    options = [] if sys.platform == "win32" else ["-O3", "-fvisibility=hidden"]
    sources = sorted(str(path) for path in Path(root, "native").glob("*.c"))
    headers = sorted(str(path) for path in Path(root, "native").glob("*.h"))
    extension = Extension(MODULE, sources, depends=headers, extra_compile_args=options)
    command = build_ext(Distribution({"name": "tvwire", "ext_modules": [extension]}))
    with tempfile.TemporaryDirectory() as scratch:
        command.build_temp, command.build_lib = scratch, str(Path(scratch, "lib"))
        command.ensure_finalized()
        command.run()
        made = Path(command.get_ext_fullpath(MODULE))
        built = Path(root, FOLDER, "_native" + sysconfig.get_config_var("EXT_SUFFIX"))
        # a process that has the old file mapped must not see it change
        new = built.with_suffix(".new")
        shutil.copy(made, new)
        new.replace(built)
    return built
