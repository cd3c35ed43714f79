"""Find symbols by a few words and print what the server knows of the best.

Run: python examples/symbol_info.py nasdaq apple
"""

from __future__ import annotations

import sys

import tvwire


def main(words: str) -> tvwire.SymbolInfo | None:
    """Print the hits and the facts of the first."""
    with tvwire.Client(tvwire.load_settings()) as tv:
        hits = tv.search(words)
        for hit in hits[:5]:
            print(f"{hit.name:<20} {hit.type:<8} {hit.description}")
        if not hits:
            print(f"nothing fits {words!r}")
            return None
        info = tv.symbol(hits[0].name)
    print(f"\n{info.name} trades {info.session} ({info.timezone}), step {info.price_step} {info.currency or ''}")
    print("real time" if info.delay == 0 else f"delayed by {info.delay // 60} minutes")
    return info


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]) or "nasdaq apple")
