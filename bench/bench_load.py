"""P4 and P5: 20,000 bars, beside the Node library, tvkit and the parser of the tvDatafeed line.

P4: one message, from its bytes to columns, against the Node library parsing it and folding it into its table, for
which the message is given to the library's own handler, and against tvdatafeed-enhanced making its frame of it. P5: a
client connects and loads, by its public call; here the time that passes counts, since waiting is part of it. Its floor
is picows alone, which connects, asks for the same and throws the bars away unread. The newest bar and the number of
bars are compared with what was sent.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from bench import corpus, peers
from bench.bench_bars import message, ways
from bench.bench_parse import save
from bench.stage import play, report, stage, times_faster
from bench.support import Goals, arguments, header

BARS = 20_000
REPEAT = 5


def main() -> None:
    """Measure."""
    options = arguments(__doc__, peers=True)
    if options.install:
        peers.install_node()
        peers.install_tvkit()
        peers.install_datafeed()
    header("tvwire", "picows", "msgspec", "numpy", "pysimdjson")
    print(peers.versions())
    goals = Goals(check=options.check)
    with stage() as at, tempfile.TemporaryDirectory() as folder:
        data = message(BARS)
        file = Path(folder, "bars")
        save(file, [data])
        task = {"task": "fold", "file": str(file), "repeat": REPEAT}
        variants = {way: ("tvwire", {**task, "way": way}) for way in ways()} | {
            "Node's table": ("node", {**task, "scene": {"scene": "bars", "held": 0}}),
            "tvdatafeed's frame": ("datafeed", {**task, "repeat": 1}),
        }
        runs = play(at, variants, {"scene": "bars", "held": 0}, times=options.rounds)
        newest = [run.state for some in runs.values() for run in some]
        assert all(state[:5] == newest[0][:5] for state in newest), "not the same newest bar"
        counts = {name: BARS * (1 if name == "tvdatafeed's frame" else REPEAT) for name in runs}
        report(runs, per=counts, unit="bar")
        first, *others = ways()
        judged = [(first, "Node's table", 4), (first, "tvdatafeed's frame", 20)]
        judged += [(way, "Node's table", 4) for way in others if "fast" in way]
        for name, peer, must in judged:
            what = f"P4 20,000 bars to columns, {name}, by {peer}"
            if peer in runs:
                each = times_faster(runs[peer], runs[name]) * counts[name] / counts[peer]
                goals.at_least(what, each, must)
            else:
                print(f"{what}: skipped, the peer is not installed; add --install")

        variants = {name: (name, {"task": "load", "held": BARS}) for name in ("tvwire", "node", "tvkit")}
        variants["floor"] = ("tvwire", {"task": "floor", "held": BARS})
        runs = play(at, variants, {"scene": "bars", "held": BARS}, times=options.rounds)
        last = corpus.bars(BARS)[-1]
        floor = runs.pop("floor")
        for some in runs.values():
            assert all(run.state == last and run.extra["held"] == BARS for run in some), "not the bars sent"
        report({**runs, "floor": floor}, per=BARS, unit="bar")
        print(f"  by the floor: {times_faster(runs['tvwire'], floor, wall=True):.2f} times the time")
        for peer, must in (("node", 6), ("tvkit", 18)):
            what = f"P5 load of 20,000 bars by {peer}'s"
            if peer in runs:
                goals.at_least(what, times_faster(runs[peer], runs["tvwire"], wall=True), must)
            else:
                print(f"{what}: skipped, {peer} is not installed; add --install")
    goals.finish()


if __name__ == "__main__":
    main()
