"""Hide keys and passwords, and parts of them, in every text that is kept or shown.

A service may repeat a key in any spelling. A text is therefore compared as a row of characters: escapes are decoded,
each character keeps its place in the text. A long part of a key counts wherever it stands, also in the other case,
backwards, between spaces or signs, or as base64, hex or character codes.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import html
import itertools
import re
import unicodedata
import urllib.parse
import urllib.request
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

SHORTEST_SECRET = 4
# This many consecutive letters and digits of a secret are a part of it; plain words within a secret count only if
# longer.
PART, PART_OF_WORDS = 8, 12
# Letters of an encoded secret that contain about as much as a part.
PART_OF_BASE64, PART_OF_HEX, PART_OF_CODES = 12, 16, 20
HIDDEN = "[key]"
SECRET_NAMES = re.compile("key|token|secret|sig|pass|auth|code|cred|jwt|session", re.IGNORECASE)

_ESCAPE = re.compile(
    # A match starts only at the first of several backslashes; otherwise the time grows with the square of their number.
    r"(?i:(?<!\\)\\+(?:u\{?(?P<u>[0-9a-f]{4,6})\}?|x(?P<x>[0-9a-f]{2}))"
    r"|u\+(?P<point>[0-9a-f]{4,6})|%(?:25)*(?P<percent>[0-9a-f]{2}))"
    r"|(?P<html>&#?\w{1,10};)"
)
_LAST_CHARACTER = 0x10FFFF

# Texts to look for, by their length.
_Parts = Mapping[int, set[str]]


def without_secrets(text: str, secrets: tuple[str, ...]) -> str:
    """The text with every secret and every long part of one hidden, in any of the spellings above."""
    whole, parts = _looked_for(secrets)
    if not whole:
        return text
    places: list[tuple[int, int]] = []
    decoded = _ESCAPE.sub(_decoded, text)
    for spelt, units in ((text, _as_written), (decoded, _units))[: 1 + (decoded != text)]:
        # Texts may be long, so single characters are located only if the text contains a secret.
        if _holds(spelt.replace("\\", ""), whole):
            exact = ((character, place) for character, place in units(text) if character != "\\")
            places += _found(exact, whole, words_apart=True)
        if _holds(_all_folded(spelt), parts):
            loose = ((folded, place) for character, place in units(text) for folded in _folded(character))
            places += _found(loose, parts)
    return _covered(text, places)


def _holds(text: str, wanted: _Parts) -> bool:
    return any(one in text for texts in wanted.values() for one in texts)


def _as_written(text: str) -> Iterator[tuple[str, tuple[int, int]]]:
    return ((character, (place, place + 1)) for place, character in enumerate(text))


def address_secrets(address: str) -> tuple[str, ...]:
    """The secrets in an address: a password, or a user without one, login and password in their HTTP form, and
    parameters with a key.
    """
    parts = urllib.parse.urlsplit(address)
    user, password = (urllib.parse.unquote(text or "") for text in (parts.username, parts.password))
    login = f"{user}:{password}" if user or password else ""
    parameters = [value for name, value in urllib.parse.parse_qsl(parts.query) if SECRET_NAMES.search(name)]
    return tuple(filter(None, (password or user, login, *parameters)))


def proxy_secrets() -> tuple[str, ...]:
    """The secrets in the addresses of the environment's proxies, which may repeat them in an error."""
    found: list[str] = []
    for address in urllib.request.getproxies().values():
        with contextlib.suppress(ValueError):  # no address
            found += address_secrets(address if "//" in address else f"//{address}")
    return tuple(found)


def shown_address(address: str) -> str:
    """An address without login, without the values of its parameters, and without a fragment."""
    parts = urllib.parse.urlsplit(address)
    names = "&".join(name for name, _ in urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
    return urllib.parse.urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query=names, fragment=""))


@functools.lru_cache(maxsize=16)
def _looked_for(secrets: tuple[str, ...]) -> tuple[_Parts, _Parts]:
    """Whole secrets, spelt exactly; and parts of secrets, as letters and digits in lower case."""
    whole: dict[int, set[str]] = defaultdict(set)
    parts: dict[int, set[str]] = defaultdict(set)
    for secret in secrets:
        if len(secret) >= SHORTEST_SECRET:
            data = secret.encode("utf-8", "surrogatepass")
            # An escape names bytes one by one; as Latin letters they compare like any other character.
            for spelling in (secret, data.decode("latin-1"), base64.b64encode(data).decode().rstrip("=")):
                exact = spelling.replace("\\", "")
                if exact:
                    whole[len(exact)].add(exact)
            for part in itertools.chain(_plain_parts(secret), _encoded_parts(data)):
                parts[len(part)] |= {part, part[::-1]}
    return whole, parts


def _plain_parts(secret: str) -> Iterator[str]:
    for spelling in {secret, secret.encode("utf-8", "surrogatepass").decode("latin-1")}:
        letters = "".join(character for character in spelling if character.isalnum())
        yield from map(_all_folded, _pieces(letters, PART_OF_WORDS))
        yield from (_all_folded(piece) for piece in _pieces(letters, PART) if not _is_word(piece))


def _encoded_parts(data: bytes) -> Iterator[str]:
    for spelling in (data, data[::-1]):
        for before in range(3):  # where three bytes become four letters begin elsewhere, all letters are others
            encoded = base64.b64encode(bytes(before) + spelling).decode().rstrip("=")[before + bool(before) :]
            yield from _pieces(_all_folded(encoded), PART_OF_BASE64)
        yield from _pieces(spelling.hex(), PART_OF_HEX)
        yield from _pieces("".join(map(str, spelling)), PART_OF_CODES)


def _pieces(text: str, length: int) -> Iterator[str]:
    """All parts of this length; the whole text if it is shorter, but not below the minimum length of a part."""
    length = min(length, len(text))
    if length >= PART:
        yield from (text[start : start + length] for start in range(len(text) - length + 1))


def _is_word(text: str) -> bool:
    return text.isalpha() and (text.islower() or text.isupper() or text.istitle())


def _units(text: str) -> Iterator[tuple[str, tuple[int, int]]]:
    """The characters of a text with escapes decoded, each with its place."""
    end = 0
    for escape in _ESCAPE.finditer(text):
        yield from ((text[place], (place, place + 1)) for place in range(end, escape.start()))
        for character in _decoded(escape):
            yield character, escape.span()
        end = escape.end()
    yield from ((text[place], (place, place + 1)) for place in range(end, len(text)))


def _decoded(escape: re.Match[str]) -> str:
    if escape["html"] is not None:
        return html.unescape(escape["html"])
    number = int(escape[escape.lastgroup or 0], 16)
    return chr(number) if number <= _LAST_CHARACTER else ""


@functools.lru_cache(maxsize=1024)
def _folded(character: str) -> str:
    """The letters and digits of a character in their plainest form."""
    plain = character if character.isascii() else unicodedata.normalize("NFKC", character)
    return "".join(one for one in plain.casefold() if one.isalnum())


def _all_folded(text: str) -> str:
    return "".join(map(_folded, text))


def _found(
    units: Iterable[tuple[str, tuple[int, int]]], wanted: _Parts, words_apart: bool = False
) -> Iterator[tuple[int, int]]:
    """The places in the text of what is wanted.

    words_apart: a short plain word counts only as a separate word: the key "test" is not in "latest".
    """
    row, starts, ends = [], array("q"), array("q")
    for character, (start, end) in units:
        row.append(character)
        starts.append(start)
        ends.append(end)
    characters = "".join(row)
    for length, texts in wanted.items():
        for found in texts:
            apart = words_apart and length < PART and _is_word(found)
            start = characters.find(found)
            while start >= 0:
                around = characters[max(start - 1, 0) : start] + characters[start + length : start + length + 1]
                if not (apart and any(map(str.isalnum, around))):
                    yield starts[start], ends[start + length - 1]
                start = characters.find(found, start + 1)


def _covered(text: str, places: Iterable[tuple[int, int]]) -> str:
    kept: list[str] = []
    end = 0
    for start, stop in sorted(places):
        if start > end or not kept:
            kept += [text[end:start], HIDDEN]
        end = max(end, stop)
    return "".join([*kept, text[end:]])
