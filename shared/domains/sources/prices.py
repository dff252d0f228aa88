"""Prices, as machines are told them and as people write them, in any of the usual currencies."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from shared.domains.items.public import Price

_CODES = {
    "€": "EUR", "£": "GBP", "¥": "JPY", "円": "JPY", "₹": "INR", "RS": "INR", "RS.": "INR", "₽": "RUB", "₩": "KRW",
    "₺": "TRY", "TL": "TRY", "₴": "UAH", "₫": "VND", "₪": "ILS", "฿": "THB", "₦": "NGN", "₱": "PHP", "ZŁ": "PLN",
    "KČ": "CZK", "FT": "HUF", "LEI": "RON", "ЛВ": "BGN", "R$": "BRL", "US$": "USD", "AU$": "AUD", "A$": "AUD",
    "CA$": "CAD", "C$": "CAD", "NZ$": "NZD", "HK$": "HKD", "S$": "SGD", "NT$": "TWD", "MX$": "MXN", "FR.": "CHF",
    "元": "CNY", "CN¥": "CNY", "RP": "IDR", "RM": "MYR", "KD": "KWD", "BD": "BHD",
}  # fmt: skip
_DECIMALS = {
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND", "XAF", "XOF", "XPF"), 0),
}
"""Digits after the point of currencies that have not two (ISO 4217)."""
_ISO = (
    "AED|ARS|AUD|BGN|BHD|BRL|CAD|CHF|CLP|CNY|COP|CZK|DKK|EGP|EUR|GBP|HKD|HUF|IDR|ILS|INR|IQD|ISK|JOD|JPY|KRW|KWD|LYD|MAD|MXN"
    "|MYR|NGN|NOK|NZD|OMR|PEN|PHP|PKR|PLN|QAR|RON|RSD|RUB|SAR|SEK|SGD|THB|TND|TRY|TWD|UAH|USD|VND|XAF|XOF|ZAR"
)
_DOLLAR = "USD"
_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "´": "'", "`": "'", "−": "-"})  # noqa: RUF001 - what the Swiss group digits with
_SIGN = rf"(?:[A-Z]{{1,3}}[$¥£]|[$€£¥円元₹₽₩₺₴₫₪฿₦₱]|(?<![A-Za-z])(?:{_ISO}|RS\.?|TL|ZŁ|KČ|FT|LEI|ЛВ|FR\.|RP|RM|KD|BD|KR\.?)(?![A-Za-z]))"
_NUMBER = r"\d{1,3}(?:[ \u00a0\u202f']\d{3}(?!\d))+(?:[.,]\d{1,4})?|\d[\d.,']*"
_RANGE = r"(?:\s*(?:[-\u2013\u2014]|to|bis|à)\s*(?:{})?\s*(?:{}))?".format(_SIGN, _NUMBER)  # noqa: UP032 - the patterns hold braces
_SIGNED = re.compile(
    rf"(?P<before>{_SIGN})\s*(?P<first>{_NUMBER})|(?<![\d.,])(?P<second>{_NUMBER}){_RANGE}(?:,-|[.,]\u2013)?\s*(?![$£]\d)(?P<after>{_SIGN})",
    re.IGNORECASE,
)
_MACHINE = re.compile(r"\d{1,15}(?:\.\d{1,15})?(?:[eE][+-]?\d{1,2})?")
_LARGEST = Decimal(10) ** 10
_LONGEST = 200


def read_amount(told: Any, currency: str | None = None) -> Price | None:
    """Read what a page tells machines: a number with a decimal point, whatever it looks like. What is no such number is read as prose.

    Args:
        told: such as `"49.950"`, which is less than fifty.
        currency: of the number (ISO 4217).
    """
    text = str(told).strip() if isinstance(told, str | int | float | Decimal) and not isinstance(told, bool) else ""
    if not _MACHINE.fullmatch(text):
        return None if text.startswith("-") else read_price(text, currency)
    return _price(Decimal(text), currency)


def read_price(written: Any, currency: str | None = None) -> Price | None:
    """Read a price in prose: the number beside a sign of a currency; of a range the lower end. None where there is none.

    Args:
        written: text such as `1.299,90 €`, or a number.
        currency: what a bare number, or a `$`, `kr` or other sign of several currencies, stands for (ISO 4217).
    """
    if isinstance(written, int | float | Decimal) and not isinstance(written, bool):
        return read_amount(written, currency)
    text = str(written if written is not None else "").translate(_APOSTROPHES)[:_LONGEST]
    if not re.search(r"\d", text):
        return None
    if signed := _SIGNED.search(text):
        code = _code(signed["before"] or signed["after"], currency)
        return _price(_number(signed["first"] or signed["second"], _DECIMALS.get(code or "", 2)), code)
    return _unsigned(text, currency)


def _unsigned(text: str, currency: str | None) -> Price | None:
    """A number without a sign that is known here: price-parser knows more of them."""
    from price_parser import Price as Parsed

    bare = re.sub(r"\d+(?:[.,]\d+)?\s*%", " ", text)
    try:
        parsed = Parsed.fromstring(bare)
    except (InvalidOperation, ValueError):
        return None
    code = _code(parsed.currency, currency)
    if parsed.amount is None:
        return None
    return _price(_number(parsed.amount_text or "", _DECIMALS.get(code or "", 2)), code)


def _number(written: str, decimals: int) -> Decimal | None:
    """A number as people write it: what separates groups of digits, and what the fraction, is seen by its place.

    One mark with three digits after it separates thousands, unless the currency has three digits after the point.
    """
    text = re.sub(r"[^\d.,]", "", written).strip(".,")
    marks = [each for each in text if each in ".,"]
    point = marks[-1] if marks else ""
    fraction = text.rpartition(point)[2] if point else ""
    grouped = marks.count(point) > 1 or (
        len(fraction) == 3 and len(set(marks)) == 1 and decimals != 3 and text[0] != "0"
    )
    if point and not grouped:
        whole = re.sub(r"[.,]", "", text[: -len(fraction) - 1])
        text = f"{whole}.{fraction}"
    else:
        text = re.sub(r"[.,]", "", text)
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _price(amount: Decimal | None, code: str | None) -> Price | None:
    if amount is None or not 0 <= amount < _LARGEST:
        return None
    return Price(_plain(amount), code)


def _plain(amount: Decimal) -> Decimal:
    """At most four digits after the point, and none before it that are not written out."""
    exponent = int(amount.as_tuple().exponent)
    if exponent < -4:
        return round(amount, 4)
    return amount if exponent <= 0 else amount.quantize(Decimal(1))


def _code(sign: str | None, currency: str | None) -> str | None:
    if not sign:
        return currency
    upper = sign.upper()
    if upper in _CODES:
        return _CODES[upper]
    if re.fullmatch(r"[A-Z]{3}", upper):
        return upper
    return currency or (_DOLLAR if upper == "$" else None)
