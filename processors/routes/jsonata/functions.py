"""This module holds functions of JSONata as JSONata has them, for engines that do them otherwise.

Each takes what an engine hands it and gives a JSON value; `ValueError` begins with JSONata's own code.
"""

from __future__ import annotations

import base64
import math
import random
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from processors.event.strict_json import same_json

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([Ee][-+]?[0-9]+)?", re.ASCII)
_RADIX = re.compile(r"0([xX][0-9A-Fa-f]+|[oO][0-7]+|[bB][01]+)")
_BASES = {"x": 16, "o": 8, "b": 2}
_BLANKS = re.compile(r"[ \t\n\r]+")
_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def trim(text: Any, *_: Any) -> str:
    """Blanks, tabs and line ends become one blank, none at the ends; other white space stays."""
    return _BLANKS.sub(" ", _text("trim", text)).strip(" ")


def number(value: Any, *_: Any) -> float | int:
    """A number of a text that is one in JSON but for leading zeros, or of a hexadecimal, octal or binary one."""
    if isinstance(value, bool | int | float):
        return value + 0
    text = _text("number", value)
    if radix := _RADIX.fullmatch(text):
        return int(radix[1][1:], _BASES[radix[1][0].lower()])
    if not _NUMBER.fullmatch(text) or abs(found := float(text)) == float("inf"):
        raise ValueError(f"D3030: Unable to cast value to a number: {text[:40]!r}")
    return _whole(found)


def base64encode(text: Any, *_: Any) -> str:
    """Base64 of the low byte of each UTF-16 unit: texts beyond Latin-1 are not kept, as in JSONata."""
    units = _text("base64encode", text).encode("utf-16-le", "surrogatepass")
    return base64.b64encode(units[::2]).decode()


def base64decode(text: Any, *_: Any) -> str:
    """Each byte as the character of that number."""
    letters = re.sub(r"[^A-Za-z0-9+/]", "", _text("base64decode", text).translate({ord("-"): "+", ord("_"): "/"}))
    return base64.b64decode(letters + "=" * (-len(letters) % 4)).decode("latin-1")


def encode_url(text: Any, *_: Any) -> str:
    """Percent-encode all but what has a meaning in a URL."""
    return _quoted("encodeUrl", text, ";/?:@&=+$,#-_.!~*'()")


def encode_url_component(text: Any, *_: Any) -> str:
    """Percent-encode all but letters, digits and a few marks."""
    return _quoted("encodeUrlComponent", text, "-_.!~*'()")


def decode_url(text: Any, *_: Any) -> str:
    """Undo encode_url: what stands for a mark that has a meaning in a URL stays encoded."""
    kept = re.sub(r"%(?=(?:3B|2F|3F|3A|40|26|3D|2B|24|2C|23))", "%25", _text("decodeUrl", text), flags=re.IGNORECASE)
    return _unquoted("decodeUrl", kept)


def decode_url_component(text: Any, *_: Any) -> str:
    """Undo encode_url_component."""
    return _unquoted("decodeUrlComponent", _text("decodeUrlComponent", text))


def rounded(value: Any, digits: Any, *_: Any) -> float | int:
    """To so many digits, a tie to the even one: of the number as it is written, not of its double."""
    shifted = float(Decimal(repr(float(_number("round", value)))).scaleb(int(_number("round", digits))))
    if not math.isfinite(shifted):
        return math.nan
    return _whole(float(Decimal(repr(float(round(shifted)))).scaleb(-int(digits))))


def rounded_for(value: Any, picture: Any, options: Any = None, *_: Any) -> Any:
    """The number to as many digits as a picture of formatNumber shows; as it is, where the picture has an exponent."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not isinstance(picture, str):
        return value
    given = options if isinstance(options, dict) else {}
    sign = _PICTURE | {name: text for name, text in given.items() if isinstance(text, str) and len(text) == 1}
    pictures = picture.split(sign["pattern-separator"])
    shown = pictures[1] if value < 0 and len(pictures) > 1 else pictures[0]
    if sign["exponent-separator"] in shown:
        return value
    family = {sign["digit"], *(chr(ord(sign["zero-digit"]) + number) for number in range(10))}
    digits = sum(letter in family for letter in shown.partition(sign["decimal-separator"])[2])
    scale = 100 if sign["percent"] in shown else 1_000 if sign["per-mille"] in shown else 1
    return rounded(value * scale, digits) / scale or value  # what is rounded to nothing keeps its sign


_PICTURE = {
    "decimal-separator": ".",
    "digit": "#",
    "exponent-separator": "e",
    "pattern-separator": ";",
    "per-mille": "\u2030",
    "percent": "%",
    "zero-digit": "0",
}


def power(base: Any, exponent: Any, *_: Any) -> float | int:
    """A number raised to another."""
    found = _number("power", base), _number("power", exponent)
    try:
        return _whole(math.pow(*found))
    except (OverflowError, ValueError):
        raise ValueError(
            f"D3061: The power function has resulted in no number: base={base}, exponent={exponent}"
        ) from None


def format_base(value: Any, base: Any = None, *_: Any) -> str:
    """The whole number nearest to a value, with digits and letters; a tie is rounded to the even one."""
    number = round(_number("formatBase", value))
    radix = 10 if base is None else round(_number("formatBase", base))
    if not 2 <= radix <= len(_DIGITS):
        raise ValueError(f"D3100: The radix of the formatBase function must be between 2 and 36: {base}")
    left, written = abs(number), ""
    while left or not written:
        left, digit = divmod(left, radix)
        written = _DIGITS[digit] + written
    return f"-{written}" if number < 0 else written


_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def _whole(number: float) -> float | int:
    return int(number) if number.is_integer() and abs(number) < 2**63 else number


def merge_sort(values: Sequence[Any], comes_after: Callable[[Any, Any], Any]) -> list[Any]:
    """Sort as `$sort` with a function does: by merging halves, and what is not put after keeps its place."""
    if len(values) <= 1:
        return list(values)
    middle = len(values) // 2
    left, right = (merge_sort(half, comes_after)[::-1] for half in (values[:middle], values[middle:]))
    merged = []
    while left and right:
        merged.append((right if comes_after(left[-1], right[-1]) else left).pop())
    return merged + left[::-1] + right[::-1]


def distinct(values: Sequence[Any]) -> list[Any]:
    """Each value once; true is not 1."""
    found: list[Any] = []
    for value in values:
        if not any(same_json(value, one) for one in found):
            found.append(value)
    return found


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"T0410: Argument 1 of function {name} does not match function signature")
    return value


def _number(name: str, value: Any) -> float | int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"T0410: Argument 1 of function {name} does not match function signature")
    return value


def _quoted(name: str, text: Any, safe: str) -> str:
    try:
        return quote(_text(name, text), safe=safe)
    except UnicodeEncodeError:  # a lone surrogate
        raise ValueError(f"D3140: Malformed URL passed to ${name}()") from None


def _unquoted(name: str, text: str) -> str:
    try:
        if _ESCAPE.search(text):
            raise ValueError
        return unquote_to_bytes(text).decode()
    except ValueError:
        raise ValueError(f"D3140: Malformed URL passed to ${name}(): {text[:40]!r}") from None


#: Python functions that stand in for JSONata's, by JSONata's name.
TEXT_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "trim": trim,
    "number": number,
    "base64encode": base64encode,
    "base64decode": base64decode,
    "encodeUrl": encode_url,
    "encodeUrlComponent": encode_url_component,
    "decodeUrl": decode_url,
    "decodeUrlComponent": decode_url_component,
}

#: The same of those that take more than a text, or nothing.
NUMBER_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "round": rounded,
    "formatNumber": rounded_for,
    "power": power,
    "formatBase": format_base,
    "random": random.random,
}
