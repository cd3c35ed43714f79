"""P6 and P7: live updates merged in a second, beside the Node library and tvkit.

Over a loopback socket, by the public asynchronous client with its defaults: one consumer, for which changes that it
did not read in time are merged. The second row of each is the same with every update delivered, which is what the
peers do. P6: one series of ``du``, a new bar every 50. P7: ``qsd`` over 1,000 symbols. What each client holds at the
end is compared with the last frame sent. Peers are played if they are installed (``--install``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench import corpus, peers
from bench.stage import Run, Stage, drain, medians, play, report, stage, times_faster
from bench.support import Goals, arguments, header

UPDATES = 50_000
HELD = 100
SYMBOLS = 1_000
_SLOWER = 3.0
"""How many times faster than the fastest client the server has to be."""


def judge(goals: Goals, number: str, runs: Mapping[str, list[Run]], musts: Mapping[tuple[str, str], float]) -> None:
    """Print the ratios that are asked for, or that they are left out."""
    for (ours, peer), must in musts.items():
        what = f"{number} {ours} by {peer}"
        if peer in runs:
            goals.at_least(what, times_faster(runs[peer], runs[ours]), must)
        else:
            print(f"{what}: skipped, {peer} is not installed; add --install")


def check_server(at: Stage, scene: dict[str, Any], runs: Mapping[str, list[Run]]) -> None:
    """Make sure that no client waited for the server."""
    rate = drain(at, scene)
    fastest = scene["count"] / min(medians(runs).values())
    print(f"  the server alone sends {rate:,.0f} a second, {rate / fastest:.1f} times what the fastest client takes")
    assert rate > _SLOWER * fastest, "the server is too slow to measure these clients"


def series(at: Stage, times: int) -> dict[str, list[Run]]:
    """P6."""
    scene = {"scene": "bars", "count": UPDATES, "held": HELD}
    task = {"task": "bars", "count": UPDATES, "held": HELD}
    variants = {
        "du merged": ("tvwire", task),
        "every du delivered": ("tvwire", {**task, "every": True}),
        "Node": ("node", task),
        "tvkit": ("tvkit", task),
    }
    runs = play(at, variants, scene, times=times)
    last = corpus.update_values(UPDATES)[-1]
    assert all(run.state == last for some in runs.values() for run in some), "a client does not hold the last bar"
    report(runs, per=UPDATES, unit="update")
    check_server(at, scene, runs)
    return runs


def quotes(at: Stage, times: int) -> dict[str, list[Run]]:
    """P7."""
    scene = {"scene": "quotes", "count": UPDATES, "among": SYMBOLS}
    names = corpus.symbols(SYMBOLS)
    follow = {"task": "quotes", "count": UPDATES, "symbols": names}
    task = {**follow, "fields": corpus.FIELDS}
    variants = {
        "qsd merged": ("tvwire", task),
        "every qsd delivered": ("tvwire", {**task, "every": True}),
        "Node": ("node", task),
        "tvkit": ("tvkit", follow),
    }
    runs = play(at, variants, scene, times=times)
    states = {names[number]: values for number, values in corpus.quote_values(UPDATES, SYMBOLS)}
    assert len(states) == SYMBOLS
    assert all(run.state == states for some in runs.values() for run in some), "a client does not hold the last quotes"
    report(runs, per=UPDATES, unit="update")
    check_server(at, scene, runs)
    merged = runs["qsd merged"][-1].extra
    print(f"  of {UPDATES:,} changes {merged['delivered']:,} were delivered, {merged['conflated']:,} merged")
    return runs


def main() -> None:
    """Measure."""
    options = arguments(__doc__, peers=True)
    if options.install:
        peers.install_node()
        peers.install_tvkit()
    header("tvwire", "picows", "msgspec")
    print(peers.versions())
    goals = Goals(check=options.check)
    with stage() as at:
        du = series(at, options.rounds)
        judge(
            goals,
            "P6",
            du,
            {("du merged", "Node"): 1.8, ("du merged", "tvkit"): 8, ("every du delivered", "Node"): 1.4},
        )
        qsd = quotes(at, options.rounds)
        judge(goals, "P7", qsd, {("qsd merged", "Node"): 1.8, ("qsd merged", "tvkit"): 4})
        judge(goals, "P7", qsd, {("every qsd delivered", "Node"): 1.4})
    goals.finish()


if __name__ == "__main__":
    main()
