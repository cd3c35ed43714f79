from __future__ import annotations

import base64
import gzip
import io
import struct
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tvwire.errors import DecodeError, PayloadTooLarge
from tvwire.wire.compressed import inflate

REPORT = b'{"report":{"performance":{"all":{"netProfit":12.5}},"trades":[]}}'


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return buffer.getvalue()


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def raw_deflate(data: bytes) -> bytes:
    machine = zlib.compressobj(9, zlib.DEFLATED, -15)
    return machine.compress(data) + machine.flush()


FORMS = {
    "zip with one nameless entry": zipped(("", REPORT)),
    "zip, stored": zipped(("", REPORT), method=zipfile.ZIP_STORED),
    "zip with a path as its name": zipped(("../../etc/passwd", REPORT)),
    "zip with more entries": zipped(("a", REPORT), ("b", b"{}")),
    "zlib": zlib.compress(REPORT),
    "raw deflate": raw_deflate(REPORT),
    "gzip": gzip.compress(REPORT),
    "plain": REPORT,
}


@pytest.mark.parametrize("form", FORMS)
def test_every_documented_form_is_read(form: str) -> None:
    text = b64(FORMS[form])
    assert inflate(text) == REPORT
    assert inflate(text.rstrip("=")) == REPORT
    assert inflate(text.translate(str.maketrans("+/", "-_"))) == REPORT
    assert inflate("\n".join(text[k : k + 76] for k in range(0, len(text), 76)) + "\n") == REPORT


def test_text_that_is_json_already_is_kept() -> None:
    assert inflate(" " + REPORT.decode()) == REPORT
    assert inflate("[1]") == b"[1]"


@given(st.binary(min_size=1, max_size=300), st.sampled_from(["zip", "stored", "zlib", "gzip", "deflate"]))
def test_what_was_packed_comes_out(data: bytes, form: str) -> None:
    packed = {
        "zip": lambda: zipped(("", data)),
        "stored": lambda: zipped(("", data), method=zipfile.ZIP_STORED),
        "zlib": lambda: zlib.compress(data),
        "gzip": lambda: gzip.compress(data),
        "deflate": lambda: raw_deflate(data),
    }[form]()
    if form == "deflate" and (packed[:2] == b"PK" or packed[:1] in (b"{", b"[") or packed[0] & 15 == 8):
        return  # raw deflate has no header; by chance it may look like another form
    assert inflate(b64(packed)) == data


@pytest.mark.parametrize("text", ["", "%%%%", "abc$", "A", b64(b"neither of them"), b64(b"PK\x03\x04"), "é"])
def test_what_is_none_of_them_is_refused(text: str) -> None:
    with pytest.raises(DecodeError):
        inflate(text)


@pytest.mark.parametrize("form", ["zip with one nameless entry", "zip, stored", "zlib", "gzip", "raw deflate"])
def test_cut_short_or_damaged_data_is_refused(form: str) -> None:
    packed = FORMS[form]
    for broken in (packed[: 30 + 20], packed[:31], packed[:12]):
        with pytest.raises(DecodeError):
            inflate(b64(broken))
    if form.startswith("zip"):
        damaged = bytearray(packed)
        damaged[40] ^= 0x55
        with pytest.raises(DecodeError):
            inflate(b64(bytes(damaged)))


def test_a_zip_that_lies_about_its_size_is_read_by_its_content() -> None:
    packed = bytearray(zipped(("", REPORT)))
    struct.pack_into("<II", packed, 18, 5, 3)
    assert inflate(b64(bytes(packed))) == REPORT
    struct.pack_into("<II", packed, 18, 2**32 - 1, 2**32 - 1)
    assert inflate(b64(bytes(packed))) == REPORT


def test_unknown_methods_and_encryption_are_refused() -> None:
    with pytest.raises(DecodeError):
        inflate(b64(zipped(("", REPORT), method=zipfile.ZIP_BZIP2)))
    packed = bytearray(zipped(("", REPORT)))
    packed[6] |= 1
    with pytest.raises(DecodeError):
        inflate(b64(bytes(packed)))


@pytest.mark.parametrize("form", ["zip", "zlib", "gzip", "deflate"])
def test_a_bomb_is_stopped_by_its_ratio(form: str) -> None:
    zeros = bytes(4 * 2**20)
    packed = {
        "zip": zipped(("", zeros)),
        "zlib": zlib.compress(zeros),
        "gzip": gzip.compress(zeros),
        "deflate": raw_deflate(zeros),
    }
    with pytest.raises(PayloadTooLarge):
        inflate(b64(packed[form]))
    assert inflate(b64(packed[form]), ratio=5000) == zeros


def test_short_texts_may_compress_as_well_as_they_like() -> None:
    assert inflate(b64(zlib.compress(bytes(2**20)))) == bytes(2**20)


def test_the_limit_holds_whatever_the_form() -> None:
    noise = bytes(range(256)) * 40
    for packed in (zipped(("", noise)), zipped(("", noise), method=zipfile.ZIP_STORED), zlib.compress(noise)):
        assert inflate(b64(packed), limit=10_240) == noise
        with pytest.raises(PayloadTooLarge):
            inflate(b64(packed), limit=10_239)
    with pytest.raises(PayloadTooLarge):
        inflate("[" + "1," * 50 + "1]", limit=50)
    with pytest.raises(PayloadTooLarge):
        inflate("A" * 1200, limit=50)


def test_an_archive_in_the_archive_stays_packed() -> None:
    inner = zipped(("", REPORT))
    assert inflate(b64(zipped(("", inner)))) == inner


@given(
    st.text(max_size=60)
    | st.binary(max_size=60).map(b64)
    | st.binary(max_size=60).map(lambda b: b64(b"PK\x03\x04" + b))
)
def test_random_text_raises_nothing_but_the_documented(text: str) -> None:
    try:
        inflate(text)
    except (DecodeError, PayloadTooLarge):
        return
