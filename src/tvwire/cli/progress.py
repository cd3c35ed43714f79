"""Progress of downloads on stderr: a bar on a terminal, lines of JSON for machines, or nothing."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

import msgspec

from .. import Progress
from ..export import iso
from .console import Console, is_terminal
from .text import clean

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

__all__ = ["ProgressReport"]


class ProgressReport:
    """Receives :class:`tvwire.Progress`, from any thread, and shows it.

    Use it as a context manager and pass it as ``progress=``.
    """

    def __init__(self, console: Console) -> None:
        options = console.options
        self._console = console
        self._lines = options.progress == "json"
        self._bars: RichProgress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._started = time.monotonic()
        self._draw = options.progress == "auto" and not options.quiet and not options.json and is_terminal(sys.stderr)

    def __enter__(self) -> Self:
        if self._draw:
            from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
            from rich.progress import Progress as RichProgress

            self._bars = RichProgress(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                BarColumn(bar_width=24),
                TextColumn("{task.fields[said]}"),
                TimeElapsedColumn(),
                console=self._console.rich(stderr=True),
                transient=True,
            )
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    def expect(self, symbol: str, wanted: int | None) -> None:
        """Show a row for *symbol* before its first answer."""
        if self._bars is not None:
            self._tasks[symbol] = self._bars.add_task(clean(symbol), total=wanted, said="asking")

    def __call__(self, step: Progress) -> None:
        """Take one step of a download."""
        if self._lines:
            facts = {
                "progress": step.symbol,
                "bars": step.bars,
                "wanted": step.wanted,
                "oldest": None if step.oldest is None else iso(step.oldest),
                "done": step.done,
            }
            print(msgspec.json.encode(facts).decode(), file=sys.stderr, flush=True)
        if self._bars is None:
            return
        if step.symbol not in self._tasks:
            self.expect(step.symbol, step.wanted)
        rate = step.bars / max(time.monotonic() - self._started, 1e-3)
        total = step.wanted if step.wanted is not None and not step.done else max(step.bars, 1) if step.done else None
        said = f"{step.bars:,} bars, {rate:,.0f}/s"
        self._bars.update(self._tasks[step.symbol], completed=step.bars, total=total, said=said)
