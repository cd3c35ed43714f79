"""P8 and P9: an update comes and the newest bar is read, with 100 and with 20,000 bars held, beside the Node library.

Over a loopback socket; the updates are of one forming bar, every one is delivered and the newest bar is read at each,
as a program does that acts on it. The Node library sorts all bars whenever they are looked at, which is its documented
way to the newest. P9 is how flat ours is. The newest bar is compared with the last frame sent.
"""

from __future__ import annotations

from typing import Any

from bench import corpus, peers
from bench.stage import play, report, stage, times_faster
from bench.support import Goals, arguments, header

UPDATES = 20_000
FEW = 200
"""Updates that the Node library gets where each takes milliseconds."""
SIZES = (100, 20_000)


def main() -> None:
    """Measure."""
    options = arguments(__doc__, peers=True)
    if options.install:
        peers.install_node()
    header("tvwire", "picows", "msgspec")
    print(peers.versions())
    goals = Goals(check=options.check)
    variants: dict[str, tuple[str, dict[str, Any]]] = {}
    counts = {}
    for held in SIZES:
        for player, name in (("tvwire", f"newest of {held:,}"), ("node", f"Node's newest of {held:,}")):
            slow = player == "node" and held == SIZES[-1]
            counts[name] = count = FEW if slow else UPDATES
            task: dict[str, Any] = {"task": "bars", "count": count, "held": held}
            task |= {"newest": True} if player == "node" else {"every": True}
            variants[name] = (player, {**task, "scene": {"count": count, "held": held, "per_bar": UPDATES}})
    with stage() as at:
        runs = play(at, variants, {"scene": "bars"}, times=options.rounds)
    for name, some in runs.items():
        last = corpus.update_values(counts[name], UPDATES)[-1]
        assert all(run.state == last for run in some), f"{name}: not the last bar sent"
    report(runs, per=counts, unit="update and read")
    for held, must in zip(SIZES, (6, 2_000), strict=True):
        ours, peer = f"newest of {held:,}", f"Node's newest of {held:,}"
        what = f"P8 newest of {held:,} by Node's"
        if peer in runs:
            goals.at_least(what, times_faster(runs[peer], runs[ours]) * counts[ours] / counts[peer], must)
        else:
            print(f"{what}: skipped, node is not installed; add --install")
    small, large = (runs[f"newest of {held:,}"] for held in SIZES)
    goals.at_most("P9 time at 20,000 bars by time at 100", times_faster(large, small), 1.1)
    goals.finish()


if __name__ == "__main__":
    main()
