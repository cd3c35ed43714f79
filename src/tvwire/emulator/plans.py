"""What each plan may have, and which plan a token stands for.

Third-party figures (docs/protocol.md, section 6.3); nothing of it is recorded but ``rt_update_period``.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from dataclasses import dataclass
from typing import Final

from ..settings import PLANS as BARS

__all__ = ["PLANS", "Plan", "plan_of_token"]


@dataclass(frozen=True, slots=True)
class Plan:
    """A subscription."""

    name: str
    slug: str
    """``pro_plan`` of the signed-in page."""
    bars: int
    """Intraday bars that can be reached, counted back from now."""
    seconds: bool
    """Whether bars of seconds are allowed."""
    ticks: bool
    """Whether bars of ticks are allowed."""
    custom: bool
    """Whether custom intervals are allowed."""
    studies: int
    """Indicators on a chart. unverified: figures of the public table of prices."""
    period: int
    """``rt_update_period``: seconds between live updates; 0 is every tick (recorded: 5 and 0)."""

    @property
    def special(self) -> bool:
        """Whether charts other than candles and Heikin Ashi, and replay, are allowed intraday: on every paid plan."""
        return bool(self.slug)


PLANS: Final[dict[str, Plan]] = {
    plan.name: plan
    for plan in (
        Plan("basic", "", BARS["basic"], studies=2, seconds=False, ticks=False, custom=False, period=5),
        Plan("essential", "pro", BARS["essential"], studies=5, seconds=False, ticks=False, custom=True, period=0),
        Plan("plus", "pro_plus", BARS["plus"], studies=10, seconds=False, ticks=False, custom=True, period=0),
        Plan("premium", "pro_premium", BARS["premium"], studies=25, seconds=True, ticks=False, custom=True, period=0),
        Plan(
            "expert", "pro_premium_expert", BARS["expert"], studies=30, seconds=True, ticks=True, custom=True, period=0
        ),
        Plan("ultimate", "ultimate", BARS["ultimate"], studies=50, seconds=True, ticks=True, custom=True, period=0),
    )
}

_ISSUER: Final = "tvwire-emulator"


def plan_of_token(token: str, default: Plan) -> Plan | None:
    """Return the plan that a token stands for, None if it is no token of the emulator.

    ``unauthorized_user_token``, ``widget_user_token`` and ``fake:…`` without the name of a plan have *default*;
    ``fake:premium`` and a JWT whose issuer is the emulator name theirs. Real tokens are refused.
    """
    if token in ("unauthorized_user_token", "widget_user_token"):
        return default
    if token.startswith("fake:"):
        return _named(token.removeprefix("fake:")) or default
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return None
    if not isinstance(claims, dict) or claims.get("iss") != _ISSUER:
        return None
    return _named(str(claims.get("plan", ""))) or default


def _named(text: str) -> Plan | None:
    words = text.lower().replace(":", " ").split()
    for word in words:
        for plan in PLANS.values():
            if word == plan.name or (plan.slug and word == plan.slug):
                return plan
    return None
