"""Accounts of the emulator: signing in, sessions, tokens (docs/protocol.md, sections 9.7, 9.8).

There is one account for every plan, ``basic`` … ``ultimate``; the name is that of the plan, with or without
``@tvwire.test``, and the password ``secret``. ``totp`` asks for a second factor, ``captcha`` for a captcha.
Ids and tokens are the same in every run, so that they can be written down. Pure; the pages are ``http_accounts.py``.
"""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import Any, Final

from .plans import PLANS, Plan

__all__ = ["CODE", "PASSWORD", "Account", "Accounts"]

PASSWORD: Final = "secret"
"""Password of every account."""
CODE: Final = "123456"
"""The second factor of ``totp``."""
_DOMAIN: Final = "@tvwire.test"
_LIFE: Final = 4 * 3600
"""Seconds that a token is valid. unverified."""
_LOOK: Final = "data:image/svg+xml,%3Csvg%20xmlns=%22http://www.w3.org/2000/svg%22/%3E"


def _digest(*parts: str, length: int = 32) -> str:
    return hashlib.sha256("/".join(parts).encode()).hexdigest()[:length]


@dataclass(frozen=True, slots=True)
class Account:
    """A user."""

    id: int
    name: str
    plan: Plan
    factor: bool = False
    """Whether a second factor is asked for."""
    captcha: bool = False
    """Whether signing in always ends at a captcha."""

    @property
    def session(self) -> str:
        """Cookie ``sessionid``."""
        return _digest(self.name, "session")

    @property
    def signature(self) -> str:
        """Cookie ``sessionid_sign``."""
        return f"v3:{_digest(self.name, 'signature', length=43)}="

    def token(self, now: float) -> str:
        """Return the ``auth_token``: a JWT that the emulator's sockets accept and no real server does."""
        claims = {
            "user_id": self.id,
            "exp": int(now) + _LIFE,
            "iat": int(now),
            "plan": self.plan.name,
            "iss": "tvwire-emulator",
        }
        parts = [_encode({"alg": "RS512", "kid": "emulator", "typ": "JWT"}), _encode(claims)]
        return ".".join([*parts, _digest(*parts, length=64)])

    def user(self, now: float) -> dict[str, Any]:
        """Return what the site says of the user, with the 57 recorded keys in their order."""
        paid = bool(self.plan.slug)
        return {
            "id": self.id,
            "username": self.name,
            "first_name": "",
            "last_name": "",
            "has_active_email": True,
            "date_joined": "2020-01-01T00:00:00.000000",
            "userpic": _LOOK,
            "userpic_mid": _LOOK,
            "userpic_big": _LOOK,
            "status": "",
            "private_channel": _digest(self.name, "channel", length=43),
            "session_hash": _digest(self.name, "hash", length=64),
            "notification_popup": True,
            "notification_sound": True,
            "notification_count": {"following": 0, "user": 4},
            "following": 0,
            "followers": 0,
            "reputation": 0.0,
            "max_user_language_reputation": 0.0,
            "has_twitter": False,
            "has_youtube": False,
            "has_twitch": False,
            "profile_data_filled": True,
            "active_broker": None,
            "ignore_list": [],
            "is_partner": False,
            "is_broker": False,
            "broker_plan": None,
            "badges": [{"name": f"pro:{self.plan.slug}", "verbose_name": self.plan.name.title()}] if paid else [],
            "permissions": {},
            "is_staff": False,
            "is_superuser": False,
            "is_moderator": False,
            "settings": {},
            "last_locale": "en",
            "auth_token": self.token(now),
            "social_registration": False,
            "has_phone": False,
            "sms_email": None,
            "is_policy_accepted": True,
            "is_non_pro_confirmed": False,
            "do_not_track": False,
            "is_pro": paid,
            "is_expert": self.plan.name in ("expert", "ultimate"),
            "is_trial": False,
            "pro_being_cancelled": None,
            "pro_plan_days_left": 200 if paid else 0,
            "pro_plan_original_name": self.plan.slug or False,
            "pro_plan": self.plan.slug,
            "pro_plan_billing_cycle": "y" if paid else False,
            "trial_days_left": 0,
            "trial_days_left_text": "",
            "new_pro_product_line": None,
            "available_offers": {},
            "had_pro": paid,
            "disallow_adding_to_private_chats": False,
            "picture_url": _LOOK,
        }


def _encode(value: dict[str, Any]) -> str:
    return urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).rstrip(b"=").decode()


class Accounts:
    """Everybody."""

    def __init__(self) -> None:
        users = [Account(1_000_001 + number, plan.name, plan) for number, plan in enumerate(PLANS.values())]
        users.append(Account(1_000_101, "totp", PLANS["premium"], factor=True))
        users.append(Account(1_000_102, "captcha", PLANS["basic"], captcha=True))
        self._by_name = {user.name: user for user in users}
        self._by_session = {user.session: user for user in users}
        self._half = {_digest(user.name, "half"): user for user in users if user.factor}

    def named(self, name: str) -> Account | None:
        """Return an account by its name, or by its name as a mail address; case does not matter."""
        return self._by_name.get(name.strip().lower().removesuffix(_DOMAIN))

    def half(self, user: Account) -> str:
        """Return the ``sessionid`` of a session that still waits for the second factor."""
        return _digest(user.name, "half")

    def waiting(self, session: str) -> Account | None:
        """Return whose second factor is waited for."""
        return self._half.get(session)

    def of_session(self, session: str | None) -> Account | None:
        """Return whose ``sessionid`` this is, with a signature or without."""
        return self._by_session.get(session or "")

    def signed_in(self, session: str | None, signature: str | None) -> Account | None:
        """Return whose cookies these are; both are needed (docs/protocol.md, section 9)."""
        user = self._by_session.get(session or "")
        return user if user is not None and signature == user.signature else None
