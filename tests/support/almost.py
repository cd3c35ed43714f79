"""Packets of live traffic as the service writes them, and seldom almost so: text for the readers to agree on."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

__all__ = ["DU", "FIELDS", "changes", "numerals", "odd", "qsd", "seldom", "texts", "updates", "wrong"]

DU = (
    '{"m":"du","p":["cs_1",{"sds_1":{"s":[{"i":299,"v":[1558466100.0,8019.56,8020.05,7985.36,8004.8000000000001819]}],'
    '"ns":{"d":"","indexes":"nochange"},"t":"s1","lbs":{"bar_close_time":1558467000}}}]}'
)
FIELDS = (
    '"ch":0.12,"lp_time":1663050540,"market":"open","fractional":false,"trade_loaded":true,"rtc":null,"volume":-0.0'
)


def qsd(fields: str) -> str:
    return f'{{"m":"qsd","p":["qs_a",{{"n":"COINBASE:LTCUSD","s":"ok","v":{{{fields}}}}}]}}'


edges = st.sampled_from([0, 2**31, 2**53, -(2**53), 2**63, 2**64, 10**19, 10**22])
usual = st.one_of(
    st.floats(0, 1e5).map("{:.2f}".format),
    st.floats(-1e16, 1e16).map(repr),
    st.integers(-(10**6), 10**12).map(str),
    st.sampled_from(["-0", "-0.0", "-0e9", "0e-99", "5e-324", "8004.8000000000001819", "1E5", "1e-7", "2.5e+3"]),
)
numerals = usual | st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.builds(lambda edge, more: str(edge + more), edges, st.integers(-3, 3)),
    st.from_regex(r"-?(0|[1-9][0-9]{0,24})(\.[0-9]{1,24})?([eE][+-]?[0-9]{1,3})?", fullmatch=True),
    st.sampled_from(["2e-324", "2.2250738585072011e-308", "1e-400", "1e22", "1e23", "1.7976931348623158e308"]),
    st.sampled_from(["1e100", "-1e+100", "9.99e99", "9007199254740993.0", "1e0005", "1e00005"]),
    st.sampled_from(["0." + "9" * 99, "0." + "3" * 120, "7" * 99, "-" + "7" * 120]),
)
wrong = st.sampled_from(
    ["01", "-01", "1.", ".5", "+1", "-", "--1", "1e", "1e+", "0x1", "NaN", "1e999", "nul", "[]", ","]
)
words = st.text("ab", max_size=2) | st.sampled_from(["s1", "a b", "~m~1~m~", "x" * 64, "y" * 65])
odd_words = st.sampled_from(["\x7f", "\x1f", '\\"', "\\u00e9", "é", '"'])
texts = st.builds('"{}"'.format, words | odd_words) | st.text(max_size=6).map(json.dumps)
values = usual | st.sampled_from(["true", "false", "null", '"market"', '""'])


def seldom(usual: st.SearchStrategy[Any], odd: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """One time in thirty-odd the other one; in the middle, because bounds are drawn more often."""
    return st.integers(0, 31).flatmap(lambda number: odd if number == 17 else usual)


@st.composite
def members(draw: st.DrawFn, *found: str) -> str:
    """Return a JSON object, seldom in another order, incomplete, or with one member twice."""
    every = draw(seldom(st.just(list(found)), st.lists(st.sampled_from(found), max_size=5)))
    return "{" + ",".join(every) + "}"


@st.composite
def odd(draw: st.DrawFn, text: str) -> str:
    """Return a packet, now and then spaced, cut or overwritten."""
    what = draw(st.integers(0, 15))
    if what == 7:
        old = draw(st.sampled_from([",", ":", "{", "]", '"']))
        new = draw(st.sampled_from([old + " ", "\n" + old, old + old, "", "é"]))
        return text.replace(old, new, draw(st.integers(1, 99)))
    if what == 9:
        start = draw(st.integers(0, len(text)))
        end = start + draw(st.integers(0, 3))
        return text[:start] + draw(st.text('0-.e,:"\\{}[] \n\x00é', max_size=2)) + text[end:]
    return text


@st.composite
def updates(draw: st.DrawFn) -> str:
    """Return a ``du``."""
    numbers = draw(seldom(st.just(usual), st.just(numerals))) | draw(seldom(st.just(usual), st.just(wrong)))
    bar = draw(st.lists(numbers, min_size=5, max_size=16) | st.lists(numbers, min_size=4, max_size=17))
    point = draw(members(f'"i":{draw(seldom(st.integers(-300, 300), numerals))}', f'"v":[{",".join(bar)}]'))
    points = draw(seldom(st.just(point), st.sampled_from(["", f"{point},{point}", "null"])))
    indexes = draw(seldom(st.sampled_from(['"nochange"', "[]"]), st.sampled_from(["[1]", '"x"'])))
    turnaround = draw(seldom(st.builds('"{}"'.format, words), texts))
    body = [f'"s":[{points}]', f'"ns":{{"d":"","indexes":{indexes}}}', f'"t":{turnaround}']
    if draw(st.booleans()):
        body.append(f'"lbs":{{"bar_close_time":{draw(seldom(st.integers(0, 2**32), numerals | wrong))}}}')
    name = draw(seldom(words, odd_words))
    return draw(odd(f'{{"m":"du","p":["{draw(words)}",{{"{name}":{draw(members(*body))}}}]}}'))


@st.composite
def changes(draw: st.DrawFn) -> str:
    """Return a ``qsd``."""
    names = draw(seldom(st.just(st.integers(0, 150).map("f{}".format)), st.just(words)))
    once = draw(seldom(st.just(lambda field: field[0]), st.none()))
    most = draw(st.sampled_from([0, 3, 12, 12, 130]))
    every = values | draw(seldom(st.just(values), st.just(numerals | wrong | texts)))
    found = draw(st.lists(st.tuples(names, every), min_size=most // 2, max_size=most, unique_by=once))
    fields = ",".join(f'"{name}":{value}' for name, value in found)
    status = draw(seldom(st.just("ok"), st.just("error")))
    name = draw(seldom(words, odd_words))
    body = draw(members(f'"n":"{name}"', f'"s":"{status}"', f'"v":{{{fields}}}'))
    return draw(odd(f'{{"m":"qsd","p":["{draw(words)}",{body}]}}'))
