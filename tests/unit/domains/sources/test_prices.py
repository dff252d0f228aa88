"""Prices in the number formats and currencies of many shops."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domains.sources.prices import read_price


@pytest.mark.parametrize(
    ("written", "amount", "currency"),
    [
        ("1.299,90 €", "1299.90", "EUR"),
        ("€1,299.90", "1299.90", "EUR"),
        ("1 299,00 zł", "1299.00", "PLN"),
        ("1\u202f299,00\u00a0€", "1299.00", "EUR"),
        ("$1,299", "1299", "USD"),
        ("US$ 12", "12", "USD"),
        ("AU$12.50", "12.50", "AUD"),
        ("CHF 1\u2019299.90", "1299.90", "CHF"),
        ("1'299.- CHF", "1299", "CHF"),
        ("¥12,800", "12800", "JPY"),
        ("₹1,29,999", "129999", "INR"),
        ("R$ 1.299,90", "1299.90", "BRL"),
        ("12.999 TL", "12999", "TRY"),
        ("£ 0.99", "0.99", "GBP"),
        ("USD 15.00", "15.00", "USD"),
        ("from 39,95 €", "39.95", "EUR"),
        ("2 for $30", "30", "USD"),
        ("12.5", "12.5", None),
        (12.5, "12.5", None),
        (0, "0", None),
    ],
)
def test_prices(written: object, amount: str, currency: str | None) -> None:
    price = read_price(written)
    assert price is not None
    assert (price.amount, price.currency) == (Decimal(amount), currency)


@pytest.mark.parametrize("written", ["", None, "free", "sold out", "9" * 300, "€", "—"])
def test_no_prices(written: object) -> None:
    assert read_price(written) is None


def test_what_a_bare_number_stands_for() -> None:
    assert str(read_price("99,95", "EUR")) == str(read_price("99.95", "EUR"))
    for written in ("$40", "40"):
        price = read_price(written, "CAD")
        assert price is not None
        assert price.currency == "CAD"
    sure = read_price("£40", "CAD")
    assert sure is not None
    assert sure.currency == "GBP"


@given(st.text(max_size=60) | st.floats(allow_nan=True, allow_infinity=True) | st.integers())
def test_whatever_is_written_there(written: object) -> None:
    price = read_price(written)
    assert price is None or (0 <= price.amount < 10**10 and -int(price.amount.as_tuple().exponent) <= 4)
