from __future__ import annotations

from pathlib import Path

import pytest

from tvwire import InputError, load_settings
from tvwire.client.load import load_settings_with_origins

FILE = """\
transport = "websockets"
plan = "premium"

[timeouts]
connect = 3

[profile.me]
plan = "ultimate"

[profile.me.limits]
parallel = 2
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(FILE)
    return path


def test_the_environment_wins_over_the_profile_and_the_profile_over_the_file(file: Path) -> None:
    assert load_settings(path=file, environ={}).plan == "premium"
    assert load_settings(path=file, environ={}, profile="me").plan == "ultimate"
    settings = load_settings(path=file, environ={"TVWIRE_PROFILE": "me", "TVWIRE_PLAN": "plus"})
    assert (settings.plan, settings.limits.parallel, settings.timeouts.connect) == ("plus", 2, 3.0)
    assert load_settings(path=file, environ={"TVWIRE_PLAN": "plus"}, plan="basic").plan == "basic"


def test_every_value_knows_where_it_comes_from(file: Path) -> None:
    loaded = load_settings_with_origins(path=file, environ={"TVWIRE_TIMEOUTS_HELLO": "7"}, profile="me", proxy=None)
    origins = {origin.name: (origin.value, origin.origin) for origin in loaded.origins}
    assert origins["plan"] == ("ultimate", f"{file} [profile.me]")
    assert origins["transport"] == ("websockets", str(file))
    assert origins["timeouts.hello"] == ("7.0", "environment TVWIRE_TIMEOUTS_HELLO")
    assert origins["timeouts.stall"] == ("25.0", "default")
    assert origins["token"] == ("anonymous", "default")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('plan = "premium"\ncolour = "red"\n', ":2: 'colour' is no setting"),
        ("[limits]\nbars = 'many'\n", ":2: limits.bars must be a whole number"),
        ("[limits]\nparallel = 2.7\n", ":2: limits.parallel must be a whole number"),
        ("[timeouts]\nhello = 'soon'\n", ":2: timeouts.hello must be a number"),
        ("[limits]\nbars = true\n", ":2: limits.bars must be a whole number"),
        ("plan = 5\n", ":1: plan must be text"),
        ("plan = \n", "config.toml"),
    ],
)
def test_a_bad_file_is_refused_with_its_line(tmp_path: Path, text: str, place: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        load_settings(path=path, environ={})
    assert place in str(caught.value)


def test_a_missing_file_is_only_an_error_when_it_was_named(tmp_path: Path) -> None:
    assert load_settings(environ={"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}).plan == "basic"
    with pytest.raises(InputError, match="does not exist"):
        load_settings(environ={"TVWIRE_CONFIG": str(tmp_path / "nothing.toml")})


def test_an_unknown_profile_names_those_that_exist(file: Path) -> None:
    with pytest.raises(InputError) as caught:
        load_settings(path=file, environ={}, profile="you")
    assert caught.value.hint == "it has me"


def test_a_token_that_others_can_read_is_refused_with_the_fix(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('token = "canary-91"\n')
    path.chmod(0o644)
    with pytest.raises(InputError) as caught:
        load_settings(path=path, environ={})
    assert "chmod 600" in caught.value.hint
    assert "canary" not in str(caught.value)
    path.chmod(0o600)
    loaded = load_settings_with_origins(path=path, environ={})
    assert "canary" not in repr(loaded)


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b'\xef\xbb\xbfplan = "plus"\n')
    assert load_settings(path=path, environ={}).plan == "plus"


def test_a_proxy_password_is_not_shown(tmp_path: Path) -> None:
    loaded = load_settings_with_origins(environ={"TVWIRE_PROXY": "http://me:canary@127.0.0.1:1"})
    assert "canary" not in str([origin for origin in loaded.origins if origin.name == "proxy"])
