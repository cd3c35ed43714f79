"""The page about the emulator names what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tvwire import InputError
from tvwire.emulator.catalogue import CATALOGUE
from tvwire.emulator.faults import NAMES, parse_fault
from tvwire.emulator.plans import PLANS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "emulator.md").read_text(encoding="utf-8")


def test_the_page_names_every_symbol_and_no_other() -> None:
    table = PAGE.partition("| Symbols | |")[2].partition("\n\n")[0]
    assert set(re.findall(r"`([A-Z_]+:[^`]+)`", table)) == {item.symbol for item in CATALOGUE}


def test_the_page_tells_the_bars_of_each_plan() -> None:
    rows = re.findall(r"^\| (`[a-z`, ]+`) \| ([0-9,]+) \| (yes|no) \| (yes|no) \|$", PAGE, re.MULTILINE)
    told = {
        name: (int(bars.replace(",", "")), custom == "yes", seconds == "yes")
        for names, bars, custom, seconds in rows
        for name in re.findall(r"[a-z]+", names)
    }
    assert told == {plan.name: (plan.bars, plan.custom, plan.seconds) for plan in PLANS.values()}


def test_the_page_lists_every_fault_with_its_defaults() -> None:
    rows = re.findall(r"^\| `([a-z]+)` \| [^|]+ \| ([^|]+) \| [^|]+ \|$", PAGE.partition("## Faults")[2], re.MULTILINE)
    assert {name for name, _ in rows} == set(NAMES)
    for name, options in rows:
        told = re.findall(r"`([a-z]+=[0-9a-z%]+)`", options)
        assert parse_fault(f"{name}:{','.join(told)}") == parse_fault(name)
        for option in re.findall(r"`([a-z_]+)", options):
            with pytest.raises(InputError, match=f"{option}=x|{option} "):
                parse_fault(f"{name}:{option}=x")
