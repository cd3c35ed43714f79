"""Turn the roles of docstrings (``:class:`Candle```) into plain code for the documentation site.

Editors and ``help()`` show docstrings as they are written; mkdocstrings reads them as Markdown, where a role is noise.
A griffe extension, named in zensical.toml.
"""

from __future__ import annotations

import re
from typing import Any

import griffe

_ROLE = re.compile(r":(?:attr|class|data|exc|func|meth|mod|obj):`~?([^`]+)`")


class DocstringRoles(griffe.Extension):
    """Rewrite every docstring that is loaded."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite one."""
        if obj.docstring is not None:
            obj.docstring.value = _ROLE.sub(r"`\1`", obj.docstring.value)
