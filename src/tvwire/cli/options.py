"""The options that commands share: how to reach the service, and how to speak. The one place for both."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Group, Parameter

from ..client.load import Loaded, load_settings_with_origins
from ..errors import InputError

__all__ = [
    "Adjust",
    "Chart",
    "Connection",
    "Flag",
    "Format",
    "Output",
    "Plan",
    "Progress",
    "Session",
    "forbid",
    "whole",
]

Format = Literal["table", "csv", "json", "ndjson", "parquet", "markdown"]
Plan = Literal["basic", "essential", "plus", "premium", "expert", "ultimate"]
Session = Literal["regular", "extended"]
Adjust = Literal["splits", "dividends", "none"]
Chart = Literal["HeikinAshi", "Renko", "LineBreak", "Kagi", "PointAndFigure", "Range"]
Progress = Literal["auto", "json", "none"]
Flag = Annotated[bool, Parameter(negative=(), show_default=False)]
"""An option without a value, and without a --no- twin."""

_CONNECTION = Group("Connection", sort_key=10)
_OUTPUT = Group("Output", sort_key=20)


def whole(_type: Any, tokens: Any) -> int:
    """Read a whole number, also as ``40_000`` or ``40,000``; ``1.5`` is refused instead of rounded."""
    text = tokens[0].value
    try:
        return int(text.replace(",", "_"))
    except ValueError:
        raise ValueError(f"{text!r} is no whole number") from None


@Parameter(name="*", group=_CONNECTION)
@dataclass(frozen=True, kw_only=True)
class Connection:
    """How to reach the service. There is no option for a token: arguments are visible to every process."""

    endpoint: str | None = None
    """Host of the service (data, prodata, widgetdata, history-data) or URL of an emulator [TVWIRE_ENDPOINT]."""
    profile: str | None = None
    """Section of the settings file to use [TVWIRE_PROFILE]."""
    config: Path | None = None
    """Settings file, TOML [TVWIRE_CONFIG]."""
    plan: Plan | None = None
    """Plan of the account: only used to tell why an answer is short [TVWIRE_PLAN]."""
    transport: Literal["picows", "websockets"] | None = None
    """WebSocket library [TVWIRE_TRANSPORT]."""
    proxy: str | None = None
    """Proxy for every connection, http:// or socks5:// [TVWIRE_PROXY]."""
    timeout: float | None = None
    """Seconds that one request may take [TVWIRE_TIMEOUTS_REQUEST]."""
    trace: Path | None = None
    """Write every message to this file, tokens masked; `tvwire decode` reads it."""

    def load(self) -> Loaded:
        """Read the settings: file, environment, then these options."""
        dotted: dict[str, Any] = {"timeouts.request": self.timeout}
        return load_settings_with_origins(
            profile=self.profile,
            path=self.config,
            endpoint=self.endpoint,
            plan=self.plan,
            transport=self.transport,
            proxy=self.proxy,
            **dotted,
        )


@Parameter(name="*", group=_OUTPUT)
@dataclass(frozen=True, kw_only=True)
class Output:
    """How to speak: results on stdout, everything else on stderr."""

    format: Format | None = None
    """Form of the result; by the extension of -o when left out, else a table on a terminal."""
    json: Flag = False
    """Same as --format json, and errors and notes are JSON lines on stderr."""
    quiet: Annotated[Flag, Parameter(name=["--quiet", "-q"])] = False
    """No notes and no progress; errors are still shown."""
    verbose: Annotated[Flag, Parameter(name=["--verbose", "-v"])] = False
    """Say more on stderr: endpoint, transport, traffic."""
    no_color: Annotated[Flag, Parameter(name="--no-color")] = False
    """No colours [NO_COLOR]."""
    no_input: Annotated[Flag, Parameter(name="--no-input")] = False
    """Never ask a question."""
    progress: Progress = "auto"
    """Progress on stderr: auto shows it on a terminal, json writes a line per step."""
    tz: str = "UTC"
    """Zone of the times in tables and charts: an IANA name, "local" or "exchange". Files stay UTC."""
    raw_text: Annotated[Flag, Parameter(name="--raw-text")] = False
    """Leave text cells of CSV as they are, also those that a spreadsheet takes for a formula."""

    def __post_init__(self) -> None:
        if self.json and self.format not in (None, "json"):
            raise InputError(f"--json and --format {self.format} contradict each other", hint="leave one of them out")

    @property
    def chosen(self) -> Format | None:
        """The format that was asked for, if one was."""
        return "json" if self.json else self.format


def forbid(chosen: Format, allowed: tuple[Format, ...], command: str) -> None:
    """Refuse a format that a command cannot write.

    Raises:
        InputError: *chosen* is not among *allowed*.
    """
    if chosen not in allowed:
        raise InputError(f"{command} cannot write {chosen}", hint=f"one of {', '.join(allowed)}")
