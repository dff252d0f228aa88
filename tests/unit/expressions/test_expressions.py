"""Conditions: their grammar, what they say of any JSON, and where they are wrong."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.expressions import ExpressionError, parse

ITEM: dict[str, Any] = {
    "document": {"metadata": {"file_type": "jpg", "pages": 3}},
    "metadata": {"type": "invoice", "tags": ["a", "b"], "pages": 3, "title": "Über uns", "empty": "", "yes": True},
    "pages": [{"text": "one"}, {"text": "two"}],
    "n": 2,
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("document.metadata.get('file_type') == 'pdf'", False),
        ("document.metadata.get('file_type') in ['jpg', 'png', 'jpeg']", True),
        ("metadata['type'] == \"invoice\"", True),
        ("metadata.type in ('invoice', 'bill') and not metadata.empty", True),
        ("metadata.type not in ['invoice'] or n > 1", True),
        ("0 < n <= 2 < 3", True),
        ("0 < n <= 1 < 3", False),
        ("len(pages) == 2 and pages[-1].text == 'two'", True),
        ("pages[7].text.lower().strip()", None),
        ("metadata.title.lower()", "über uns"),
        ("upper(metadata.type)", "INVOICE"),
        ("metadata.title.startswith('Ü') and endswith(metadata.title, 'uns')", True),
        ("metadata.get('nothing', 'else')", "else"),
        ("metadata.empty or 'else'", "else"),
        ("n and metadata.type", "invoice"),
        ("'b' in metadata.tags and 'voic' in metadata.type and 'pages' in metadata", True),
        ("int('12') == 12.0", True),
        ("float('x')", None),
        ("str(n) == '2' and str(1.5) == '1.5'", True),
        ("n == -2 or n == 2e0", True),
        ("metadata.yes == true and metadata.yes == True and metadata.yes != 1", True),
        ("missing == null and missing.deeper[3] == None", True),
        ("metadata < pages or n < 'a' or metadata.yes < 2", False),
        ("n >= 2 and n <= 2 and 'a' <= 'b'", True),
        ("[1, 'a', [n]] == [1.0, 'a', [2]]", True),
        (r"'it\'s' == " + '"it\'s"', True),
        ("not not n", True),
        ("(n == 3 or n == 2) and n != 4", True),
    ],
)
def test_what_an_expression_says(text: str, value: Any) -> None:
    found = parse(text).evaluate(ITEM)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "offset", "message"),
    [
        ("", 0, "a value expected, not the end"),
        ("n ==", 4, "a value expected, not the end"),
        ("n = 2", 2, "'=' is no comparison; '==' is"),
        ("  n == 'x", 7, "a text that does not end"),
        ("n == 2 3", 7, "a value expected, not '3'"),
        ("(n == 2", 7, "')' expected, not the end"),
        ("metadata.['a']", 9, "a name expected, not '['"),
        ("docment.metadata == 1", 0, "unknown name 'docment'; did you mean 'document'?"),
        ("n > 1 and zzz", 10, "unknown name 'zzz'; there are document, metadata, n, pages"),
        ("lenn(pages)", 0, "no function 'lenn'; did you mean 'len'?"),
        ("__import__('os')", 0, "no function '__import__'; there are bool"),
        ("n.__class__.__bases__()", 12, "no function '__bases__'"),
        ("metadata.get()", 9, "get takes 1 or 2 arguments"),
        ("len(n, n)", 0, "len takes 1 argument"),
        ("n not 2", 6, "'in' expected, not '2'"),
        ("n == and", 5, "'and' stands where a value should"),
        ("n; n", 1, "a value expected, not ';'"),
        ("lambda: 1", 0, "unknown name 'lambda'"),
        ("[1, 2", 5, "']' expected, not the end"),
        ("1.2.3", 0, "a value expected, not '1'"),
        ("(" * 100 + "n", 40, "nested more than 40 deep"),
        ("not " * 100 + "n", 160, "nested more than 40 deep"),
        ("n" * 2001, 2000, "longer than 2,000 characters"),
    ],
)
def test_where_an_expression_is_wrong(text: str, offset: int, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text, ITEM)
    assert message in caught.value.message
    assert caught.value.offset == offset
    assert f"character {offset + 1}" in str(caught.value)


def test_the_names_it_uses_with_their_places() -> None:
    found = parse("document.metadata.n == 1 and (n in pages or n) and len('lower') > 2")
    assert dict(found.names) == {"document": 0, "n": 30, "pages": 35}


def test_the_longest_expressions_are_evaluated_without_recursion() -> None:
    assert parse(f"n{'[0]' * 660}").evaluate({"n": []}) is None
    assert parse(" or ".join(["n"] * 380)).evaluate({"n": 0}) == 0
    assert parse(f"n{'.lower()' * 240}").evaluate({"n": "A"}) == "a"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
OPERATIONS = (
    "a == b", "a != b", "a < b", "a <= b", "a > b", "a >= b", "a in b", "a not in b", "a and b", "a or b", "not a", "a[b]", "a.b",
    "a.get(b, a)", "len(a)", "lower(a)", "a.upper()", "strip(a)", "startswith(a, b)", "endswith(a, b)", "contains(a, b)", "str(a)",
    "int(a)", "float(a)", "bool(a)", "a[0]", "[a, b] == [b, a]",
)  # fmt: skip


@given(st.sampled_from(OPERATIONS), JSON, JSON)
def test_no_value_makes_an_expression_fail(text: str, a: Any, b: Any) -> None:
    parse(text).evaluate({"a": a, "b": b})


@given(JSON, JSON)
def test_exactly_one_of_equal_smaller_greater_for_two_of_a_sort(a: Any, b: Any) -> None:
    ways = [parse(f"a {sign} b").holds({"a": a, "b": b}) for sign in ("==", "<", ">")]
    assert sum(ways) <= 1
    assert parse("a <= b").holds({"a": a, "b": b}) <= (ways[0] or ways[1])


@given(st.text(alphabet="ab01'\"()[].,<>=!- notinadr", max_size=30))
def test_any_text_is_an_expression_or_an_error_with_a_place(text: str) -> None:
    place = 0
    try:
        parse(text).evaluate({})
    except ExpressionError as error:
        place = error.offset
    assert 0 <= place <= len(text)
