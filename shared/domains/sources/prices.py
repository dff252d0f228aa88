"""Prices as people write them: any number format, any of the usual currencies."""

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
    "元": "CNY", "CN¥": "CNY", "RP": "IDR", "RM": "MYR",
}  # fmt: skip
_DOLLAR = "USD"
_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "´": "'", "`": "'"})  # noqa: RUF001 - what the Swiss group digits with
_SIGNED = re.compile(r"[A-Z]{0,3}[$£]\s*\d[\d.,' \u00a0]*")
"""A number after a sign that always stands before its number: it is the price, whatever other numbers are about."""
_LARGEST = Decimal(10) ** 10


def read_price(written: Any, currency: str | None = None) -> Price | None:
    """Read a price, or None where there is none.

    Args:
        written: text such as `1.299,90 €`, or a number.
        currency: what a bare number, or a `$`, `kr` or other sign of several currencies, stands for (ISO 4217).
    """
    text = str(written if written is not None else "").translate(_APOSTROPHES)[:100]
    if not re.search(r"\d", text):
        return None
    from price_parser import Price as Parsed

    signed = _SIGNED.search(text)
    try:
        parsed = Parsed.fromstring(signed[0] if signed else text)
    except (InvalidOperation, ValueError):
        return None
    if parsed.amount is None or not 0 <= parsed.amount < _LARGEST:
        return None
    return Price(_plain(parsed.amount), _code(parsed.currency, currency))


def _plain(amount: Decimal) -> Decimal:
    """At most four digits after the point."""
    return round(amount, 4) if -int(amount.as_tuple().exponent) > 4 else amount


def _code(sign: str | None, currency: str | None) -> str | None:
    if not sign:
        return currency
    upper = sign.upper()
    if upper in _CODES:
        return _CODES[upper]
    if re.fullmatch(r"[A-Z]{3}", upper):
        return upper
    return currency or (_DOLLAR if upper == "$" else None)
