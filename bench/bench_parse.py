"""P2: small packets, from the bytes of a message to objects, against the parser of the Node library.

The corpus of P1 (``bench_decode.py``) is written to files, which both processes read. Ours by the frame reader and the
decoder that live traffic has once its quotes have named the same fields some times; the decoder of any packet is
printed beside it and not judged. The library is given text made from the bytes, since that is what its socket does for
it; what its parser takes when the text is there already is printed too. Both have to come to the same packets.
"""

from __future__ import annotations

import json
import random
import struct
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench import peers
from bench.bench_decode import messages, quotes, updates
from bench.stage import play, report, stage, times_faster
from bench.support import Goals, arguments, header

REPEAT = 5
MUST = 1.6


def save(path: Path, corpus: Sequence[bytes]) -> None:
    """Write messages, each behind its size."""
    path.write_bytes(b"".join(struct.pack(">I", len(message)) + message for message in corpus))


def within(found: Any, expected: Any) -> bool:
    """Whether all that was *found* is *expected*; the leaner decoder leaves out what nobody uses."""
    if isinstance(found, dict):
        return isinstance(expected, dict) and all(
            key in expected and within(value, expected[key]) for key, value in found.items() if value is not None
        )
    if isinstance(found, list):
        return len(found) == len(expected) and all(map(within, found, expected))
    return bool(found == expected)


def main() -> None:
    """Measure."""
    options = arguments(__doc__, peers=True)
    if options.install:
        peers.install_node()
    header("tvwire", "msgspec")
    print(peers.versions())
    goals = Goals(check=options.check)
    rng = random.Random(20261122)
    du, qsd = updates(rng), quotes(rng)
    mixed = [packet for pair in zip(du, qsd, strict=True) for packet in pair]
    worst: dict[str, float] = {}
    with stage() as at, tempfile.TemporaryDirectory() as folder:
        for name, corpus, size in (("du", du, 1), ("qsd", qsd, 1), ("8 mixed", mixed, 8)):
            file = Path(folder, name)
            save(file, messages(corpus, size))
            task: dict[str, Any] = {"task": "parse", "file": str(file), "repeat": REPEAT}
            variants = {
                f"{name}: read + live decode": ("tvwire", {**task, "way": "hot"}),
                f"{name}: read + decode": ("tvwire", {**task, "way": "decode"}),
                f"{name}: Node": ("node", task),
                f"{name}: Node, text made before": ("node", {**task, "text": True}),
            }
            runs = play(at, variants, {"scene": "bars"}, times=options.rounds)
            expected = json.loads(corpus[-1])
            for row, some in runs.items():
                assert all(run.extra["packets"] == REPEAT * len(corpus) for run in some)
                assert all(within(run.state, expected) for run in some), f"{row}: not the last packet"
            report(runs, per=REPEAT * len(corpus), unit="packet")
            if f"{name}: Node" in runs:
                for way in ("read + live decode", "read + decode"):
                    ratio = times_faster(runs[f"{name}: Node"], runs[f"{name}: {way}"])
                    print(f"  {name}, {way}: {ratio:.2f} times")
                    worst[way] = min(ratio, worst.get(way, ratio))
    what = "P2 small packets by Node's parser, worst of three"
    if worst:
        goals.at_least(what, worst["read + live decode"], MUST)
        print(f"  any packet: {worst['read + decode']:.2f} times, not judged")
    else:
        print(f"{what}: skipped, node is not installed; add --install")
    goals.finish()


if __name__ == "__main__":
    main()
