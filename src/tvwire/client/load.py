"""Settings from a file and from the environment, each with its origin.

Only this module reads them, and only when it is asked to: a client that is given :class:`Settings` looks at
neither. Order, the later wins: built in, the file, the file's profile, the environment, explicit arguments.
"""

from __future__ import annotations

import dataclasses
import os
import re
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from ..errors import InputError
from ..secret import Secret
from ..settings import Backoff, Endpoints, Limits, Settings, Timeouts

__all__ = ["Loaded", "Origin", "config_path", "load_settings", "load_settings_with_origins", "override"]

_GROUPS: Final[dict[str, type[Timeouts] | type[Backoff] | type[Limits]]] = {
    "timeouts": Timeouts,
    "backoff": Backoff,
    "limits": Limits,
}
_PLAIN: Final = ("endpoint", "token", "plan", "transport", "proxy", "language", "country")
NAMES: Final = (
    *_PLAIN,
    *(f"{group}.{field.name}" for group, cls in _GROUPS.items() for field in dataclasses.fields(cls)),
)
"""Every setting that a file or the environment may hold."""


class Origin(msgspec.Struct, frozen=True):
    """One setting, its value and where that comes from."""

    name: str
    value: str
    """As text; secrets are ``****``."""
    origin: str
    """``default``, ``environment TVWIRE_…``, ``argument``, or the file with its profile."""


class Loaded(msgspec.Struct, frozen=True):
    """Settings with the story of each value."""

    settings: Settings
    origins: list[Origin]


def config_path(environ: Mapping[str, str] | None = None) -> Path:
    """Return the settings file: ``TVWIRE_CONFIG``, or ``config.toml`` in the user's configuration folder."""
    environ = os.environ if environ is None else environ
    if named := environ.get("TVWIRE_CONFIG"):
        return Path(named)
    import platformdirs

    return platformdirs.user_config_path("tvwire", appauthor=False) / "config.toml"


def load_settings(
    *,
    profile: str | None = None,
    path: str | os.PathLike[str] | None = None,
    environ: Mapping[str, str] | None = None,
    **arguments: Any,
) -> Settings:
    """Read settings from the file and the environment.

    Args:
        profile: Section ``[profile.NAME]`` of the file that is laid over its top; ``TVWIRE_PROFILE`` if left out.
        path: The file; :func:`config_path` if left out. A missing file is no error unless it was named.
        environ: The environment; the process's own if left out.
        arguments: Explicit values by name (``endpoint=…``); None counts as not given.

    Raises:
        InputError: An unknown key, a wrong type, a missing profile, or a file with a token that others can read;
            the text names the file and the line.

    Example:
        >>> tvwire.load_settings(environ={"TVWIRE_TRANSPORT": "websockets"}, path="/dev/null").transport
        'websockets'
    """
    return load_settings_with_origins(profile=profile, path=path, environ=environ, **arguments).settings


def load_settings_with_origins(
    *,
    profile: str | None = None,
    path: str | os.PathLike[str] | None = None,
    environ: Mapping[str, str] | None = None,
    **arguments: Any,
) -> Loaded:
    """Read settings as :func:`load_settings` does, and keep where each value comes from."""
    environ = os.environ if environ is None else environ
    values: dict[str, tuple[Any, str]] = {}
    profile = profile or environ.get("TVWIRE_PROFILE")
    file = Path(path) if path is not None else config_path(environ)
    named = path is not None or "TVWIRE_CONFIG" in environ
    if file.exists():
        _read_file(file, profile, values)
    elif named:
        raise InputError(f"the settings file {file} does not exist", hint="create it, or leave it out")
    elif profile:
        raise InputError(f"profile {profile!r} is not in {file}", hint=f"add a section [profile.{profile}]")
    for name in NAMES:
        variable = f"TVWIRE_{name.upper().replace('.', '_')}"
        if text := environ.get(variable):
            values[name] = (_typed(name, text, variable), f"environment {variable}")
    for name, value in arguments.items():
        if name not in NAMES:
            raise InputError(f"{name!r} is no setting", hint=f"known are {', '.join(NAMES)}")
        if value is not None:
            values[name] = (value, "argument")
    settings = _build({name: value for name, (value, _) in values.items()})
    return Loaded(settings, [_origin(settings, name, values) for name in NAMES])


def override(settings: Settings, *, timeout: float | None = None, **values: Any) -> Settings:
    """Return *settings* with those of the named values that are not None."""
    given = {name: value for name, value in values.items() if value is not None}
    if timeout is not None:
        given["timeouts"] = dataclasses.replace(settings.timeouts, request=timeout)
    if "endpoint" in given:
        given["endpoints"] = Endpoints.at(given.pop("endpoint"))
    if isinstance(given.get("token"), str):
        given["token"] = Secret(given["token"])
    return dataclasses.replace(settings, **given) if given else settings


def _read_file(file: Path, profile: str | None, values: dict[str, tuple[Any, str]]) -> None:
    try:
        text = file.read_bytes().decode("utf-8-sig") if file.is_file() else ""
        table = tomllib.loads(text)
    except UnicodeDecodeError as exc:
        raise InputError(f"{file} is not UTF-8 text") from exc
    except tomllib.TOMLDecodeError as exc:
        raise InputError(f"{file}: {exc}", hint="the settings file is TOML") from exc
    profiles = table.pop("profile", {})
    if not isinstance(profiles, dict) or not all(isinstance(section, dict) for section in profiles.values()):
        raise InputError(f"{file}: profiles are sections such as [profile.me]")
    _take(file, text, table, str(file), values)
    if profile is not None:
        if profile not in profiles:
            known = ", ".join(sorted(profiles)) or "none"
            raise InputError(f"profile {profile!r} is not in {file}", hint=f"it has {known}")
        _take(file, text, profiles[profile], f"{file} [profile.{profile}]", values)
    for section in (table, *profiles.values()):
        if "token" in section:
            _refuse_if_readable(file)


def _take(file: Path, text: str, table: dict[str, Any], origin: str, values: dict[str, tuple[Any, str]]) -> None:
    for key, value in table.items():
        group = value if key in _GROUPS and isinstance(value, dict) else None
        for name, item in (
            [(key, value)] if group is None else [(f"{key}.{inner}", item) for inner, item in group.items()]
        ):
            place = f"{file}:{_line(text, name.rpartition('.')[2])}"
            if name not in NAMES:
                raise InputError(f"{place}: {name!r} is no setting", hint=f"known are {', '.join(NAMES)}")
            values[name] = (_typed(name, item, place), origin)


def _line(text: str, key: str) -> int:
    match = re.search(rf"^\s*\"?{re.escape(key)}\"?\s*=", text, re.MULTILINE)
    return text.count("\n", 0, match.end()) + 1 if match else 1


def _typed(name: str, value: Any, place: str) -> Any:
    if name in _PLAIN:
        if not isinstance(value, str):
            raise InputError(f"{place}: {name} must be text, not {type(value).__name__}")
        return value
    group, _, inner = name.partition(".")
    kind = int if isinstance(getattr(_GROUPS[group](), inner), int) else float
    try:
        if isinstance(value, bool) or (kind is int and isinstance(value, float)):
            raise TypeError
        return kind(value)
    except (TypeError, ValueError):
        wanted = "a whole number" if kind is int else "a number"
        raise InputError(f"{place}: {name} must be {wanted}, not {value!r}") from None


def _refuse_if_readable(file: Path) -> None:
    if os.name == "posix" and stat.S_IMODE(file.stat().st_mode) & 0o077:
        raise InputError(f"{file} holds a token and others can read it", hint=f"run: chmod 600 {file}")


def _build(values: dict[str, Any]) -> Settings:
    groups = {
        group: cls(**{n.partition(".")[2]: v for n, v in values.items() if n.startswith(f"{group}.")})
        for group, cls in _GROUPS.items()
    }
    locale = (values.get("language", "en"), values.get("country", "US"))
    plain = {name: values[name] for name in ("endpoint", "token", "plan", "transport", "proxy") if name in values}
    return override(Settings(locale=locale, **groups), **plain)  # type: ignore[arg-type]  # each group has its class


def _origin(settings: Settings, name: str, values: dict[str, tuple[Any, str]]) -> Origin:
    group, _, inner = name.partition(".")
    shown: Any
    if name == "endpoint":
        shown = settings.endpoints.socket
    elif name == "token":
        shown = settings.token if settings.token is not None else "anonymous"
    elif name in ("language", "country"):
        shown = settings.locale[name == "country"]
    elif name == "proxy":
        shown = _without_password(settings.proxy) if settings.proxy else "none"
    else:
        shown = getattr(getattr(settings, group), inner) if inner else getattr(settings, name)
    return Origin(name, str(shown), values[name][1] if name in values else "default")


def _without_password(url: str) -> str:
    return re.sub(r"//[^/@]*@", "//****@", url)
