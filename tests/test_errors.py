from __future__ import annotations

import pickle

import tvwire
from tvwire import errors


def test_the_drawn_tree_is_the_real_one() -> None:
    drawn: dict[str, str] = {}
    parents: list[str] = ["Exception"]
    for line in (errors.__doc__ or "").splitlines():
        if "──" in line or line.strip() == "TvWireError":
            depth = line.index("TvWireError") // 4 if "──" not in line else line.index("──") // 4 + 1
            name = line.replace("─", " ").replace("│", " ").replace("├", " ").replace("└", " ").split()[0]
            del parents[depth + 1 - 1 :]
            drawn[name] = parents[-1] if parents else "Exception"
            parents.append(name)
    for name in errors.__all__:
        parent = drawn[name]
        if parent != "Exception":
            assert getattr(errors, name).__mro__[1] is getattr(errors, parent), name
    assert set(drawn) == set(errors.__all__)


def test_every_error_is_exported() -> None:
    assert set(errors.__all__) <= set(tvwire.__all__)


def test_errors_survive_pickling_with_their_attributes() -> None:
    error = errors.SymbolNotFound("no such symbol", symbol="A:B", suggestions=["A:C"])
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.symbol, copy.suggestions, copy.hint) == (
        "no such symbol",
        "A:B",
        ("A:C",),
        "did you mean A:C?",
    )


def test_a_timeout_is_also_a_builtin_timeout() -> None:
    assert issubclass(errors.RequestTimeout, TimeoutError)
    assert issubclass(errors.InputError, ValueError)
