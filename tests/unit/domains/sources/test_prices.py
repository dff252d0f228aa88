"""Prices in the number formats and currencies of many shops."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domains.sources.brands import parse_brand_page
from shared.domains.sources.model import Selectors
from shared.domains.sources.prices import read_amount, read_price
from shared.fetch import Fetched


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


@pytest.mark.parametrize(
    ("written", "currency", "amount", "code"),
    [
        ("1,234.567 KWD", None, "1234.567", "KWD"),  # dinars have three digits after the point
        ("KD 12.500", "KWD", "12.5", "KWD"),
        ("12.800 VND", None, "12800", "VND"),
        ("49.950 €", None, "49950", "EUR"),
        ("0.125 €", None, "0.125", "EUR"),
        ("Save 20% now 49 €", None, "49", "EUR"),
        ("Size 38 £25.50", None, "25.50", "GBP"),
        ("Buy 2 for €15.00", None, "15.00", "EUR"),
        ("12 - 15 €", None, "12", "EUR"),
        ("€12 \u2013 €15", None, "12", "EUR"),
        ("€49€59", None, "49", "EUR"),
        ("499,- €", None, "499", "EUR"),
        ("1 299,00 kr", "SEK", "1299.00", "SEK"),
    ],
)
def test_the_number_beside_the_sign_is_the_price(written: str, currency: str | None, amount: str, code: str) -> None:
    price = read_price(written, currency)
    assert price is not None
    assert (price.amount, price.currency) == (Decimal(amount), code)


@pytest.mark.parametrize(
    ("told", "amount"),
    [("49.950", "49.950"), ("1299.000", "1299"), (1.299, "1.299"), ("1e3", "1000"), (0, "0"), ("49,95", "49.95"),
     ("1.299,90", "1299.90"), ("$49.99", "49.99"), (Decimal("2.5"), "2.5")],
)  # fmt: skip
def test_what_machines_are_told_has_a_decimal_point_whatever_it_looks_like(told: object, amount: str) -> None:
    price = read_amount(told, "EUR")
    assert price is not None
    assert price.amount == Decimal(amount)


@pytest.mark.parametrize("told", ["", None, True, "-5", "nan", "inf", [], {}, "1e99", "free"])
def test_what_machines_are_told_may_be_no_price(told: object) -> None:
    assert read_amount(told, "EUR") is None


@pytest.mark.parametrize(
    ("markup", "amount"),
    [
        ("€49<sup>99</sup>", "49.99"),
        ("49<span class='cents'>95</span> €", "49.95"),
        ("<span class='a-price-whole'>49<span>.</span></span><span class='a-price-fraction'>99</span> €", "49.99"),
        ("€49<sup>1</sup>", "49"),  # a footnote
        ("<s>€89</s><b>€49</b>", "49"),
        ("<meta itemprop=price content='49.950'>", "49.95"),
    ],
)
def test_small_digits_are_cents(markup: str, amount: str) -> None:
    body = f"<ul><li><h3>Coat</h3><a href='/p'>x</a><p class=price>{markup}</p></li></ul>".encode()
    selectors = Selectors(item="li", price=".price meta, .price")
    (found,) = parse_brand_page(Fetched(body, "text/html", "https://shop.example/"), selectors, "EUR")
    assert found.price is not None
    assert found.price.amount == Decimal(amount)


@pytest.mark.parametrize(
    ("fields", "amount"),
    [
        ({"offers": {"@type": "AggregateOffer", "lowPrice": "49.950", "highPrice": "99"}}, "49.950"),
        ({"offers": {"@type": "AggregateOffer", "offers": [{"price": "15"}, {"price": "12"}]}}, "15"),
        ({"offers": [{"availability": "x"}, {"priceSpecification": [{"price": 20}]}]}, "20"),
        ({"@type": "ProductGroup", "hasVariant": [{"@type": "Product", "offers": {"price": "30.00"}}]}, "30.00"),
        ({"@type": "https://schema.org/Product", "offers": {"price": "5"}}, "5"),
    ],
)
def test_offers_in_offers_and_variants(fields: dict[str, object], amount: str) -> None:
    told = json.dumps({"@type": "schema:Product", "name": "Coat", **fields})
    page = f"<script type='application/ld+json'>{told}</script>".encode()
    (found,) = parse_brand_page(Fetched(page, "text/html", "https://shop.example/"), None, "EUR")
    assert found.price is not None
    assert found.price.amount == Decimal(amount)


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
