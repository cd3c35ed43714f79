"""P11: the cost of a change of a quote with 10,000 symbols on one connection, against one; and memory per symbol.

Over a loopback socket, by the public asynchronous client with its defaults. The more symbols, the fewer changes meet
one that was not read yet: with one symbol nearly all are merged, with 10,000 nearly none, so each is delivered. A row
with every change delivered, at both ends, tells what growth there is apart from that. What is held at the end is
compared with the last frames sent. The Node library is played for its own growth if it is installed.
"""

from __future__ import annotations

import statistics
from typing import Any

from bench import corpus, peers
from bench.stage import play, report, stage, times_faster
from bench.support import Goals, arguments, header

UPDATES = 50_000
SIZES = (1, 100, 1_000, 10_000)


def main() -> None:
    """Measure."""
    options = arguments(__doc__, peers=True)
    if options.install:
        peers.install_node()
    header("tvwire", "picows", "msgspec")
    print(peers.versions())
    goals = Goals(check=options.check)
    variants: dict[str, tuple[str, dict[str, Any]]] = {}
    sizes: dict[str, int] = {}
    for size in SIZES:
        task: dict[str, Any] = {"task": "quotes", "count": UPDATES, "symbols": corpus.symbols(size)}
        task |= {"fields": corpus.FIELDS, "scene": {"among": size}}
        variants[f"merged, {size:,}"] = ("tvwire", task)
        if size in (SIZES[0], SIZES[-1]):
            variants[f"every one delivered, {size:,}"] = ("tvwire", {**task, "every": True})
            variants[f"Node, {size:,}"] = ("node", task)
        sizes |= {f"{kind}, {size:,}": size for kind in ("merged", "every one delivered", "Node")}
    with stage() as at:
        # before anything else: memory that a process has kept from an earlier run would hide what it takes
        largest = {name: variant for name, variant in variants.items() if sizes[name] == SIZES[-1]}
        once = {player: task for player, task in largest.values() if not task.get("every")}
        for player, task in once.items():
            if player not in at.players:
                continue
            at.scene(scene="quotes", count=UPDATES, **task["scene"])
            run = at.players[player].do(port=at.port, **{key: task[key] for key in task if key != "scene"})
            what = "heap" if player == "node" else "resident memory, sockets and queues included"
            print(
                f"  {player}, {SIZES[-1]:,} symbols: {run.extra['memory'] / SIZES[-1]:,.0f} bytes per symbol ({what})"
            )
        runs = play(at, variants, {"scene": "quotes", "count": UPDATES}, times=options.rounds)
    for name, some in runs.items():
        names = corpus.symbols(sizes[name])
        ((_, first),) = corpus.quote_values(1, 1)
        states = dict.fromkeys(names, first)
        states |= {names[number]: values for number, values in corpus.quote_values(UPDATES, sizes[name])}
        assert all(run.state == states for run in some), f"{name}: not the last quotes sent"
    report(runs, per=UPDATES, unit="change")
    for name, some in runs.items():
        if name.startswith("merged"):
            share = statistics.median(run.extra["conflated"] for run in some) / UPDATES
            print(f"  {name}: {share:.0%} merged before they were read")
    for kind, name in (
        ("merged", "P11 a change with 10,000 symbols by one with 1"),
        ("every one delivered", "P11 the same, every one delivered"),
    ):
        goals.at_most(name, times_faster(runs[f"{kind}, 10,000"], runs[f"{kind}, 1"]), 1.5)
    goals.finish()


if __name__ == "__main__":
    main()
