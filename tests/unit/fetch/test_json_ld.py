"""JSON-LD as pages have it: wrapped, commented, nearly right."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.fetch.json_ld import read_json_ld, types_of

COAT = '{"@type":"Product","name":"Coat // <!-- x -->","url":"https://shop.example/p"}'
READ = {"@type": "Product", "name": "Coat // <!-- x -->", "url": "https://shop.example/p"}


@pytest.mark.parametrize(
    "written",
    [
        COAT,
        f"//<![CDATA[\n{COAT}\n//]]>",
        f"/*<![CDATA[*/ {COAT} /*]]>*/",
        f"<![CDATA[{COAT}]]>",
        f"<!-- {COAT} -->",
        f"<!--//<![CDATA[\n{COAT};\n//]]>-->",
        f"{COAT};;\n",
        COAT.replace('"}', '",}'),
        COAT.replace("{", "{/* a comment */").replace("}", ",\n // and another\n}"),
        COAT.replace("Coat", "Coat").replace('"', "&quot;"),
        COAT.replace("{", "{\n\t").replace("}", "\x01}"),
    ],
)
def test_what_is_meant_is_read(written: str) -> None:
    assert read_json_ld(written) == READ


@pytest.mark.parametrize(
    "written", ["", "hello", "{", "[" * 100_000, '"' + '\\"' * 20_000, "<!-- -->", "x" * 3_000_000]
)
def test_what_is_none_is_none(written: str) -> None:
    assert read_json_ld(written) is None


@pytest.mark.parametrize(
    "kind", ["Product", "https://schema.org/Product", "http://schema.org/Product", "schema:Product"]
)
def test_a_type_has_one_name(kind: str) -> None:
    assert types_of({"@type": ["Thing", kind, 7]}) == {"Thing", "Product"}
    assert types_of({"@type": kind}) == {"Product"}
    assert types_of({}) == set()


@pytest.mark.parametrize("piece", ['\\"', '"', "/*", "//", ",", " ", ";", "<!--", "-->", "]]>", "[", "{"])
def test_time_grows_with_the_length(piece: str) -> None:
    begun = time.thread_time()
    read_json_ld('"' + piece * (500_000 // len(piece)))
    assert time.thread_time() - begun < 5


@given(st.text(alphabet=st.sampled_from('{}[]",:/*\\ \n1a<!->')))
def test_any_text_is_json_or_none(written: str) -> None:
    read_json_ld(written)
