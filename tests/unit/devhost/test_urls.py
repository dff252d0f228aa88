"""Paths and queries as the host reads them; `data/host` of the hand-over folder has more of them, recorded."""

from __future__ import annotations

import pytest

from devhost.urls import BadPathError, normalised, parameters, rebuilt


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ("/", "/"),
        ("/api/%68ealth", "/api/health"),
        ("/a/./b/../c", "/a/c"),
        ("/a/..", "/"),
        ("/../../a", "/a"),
        ("/a/%2e%2e/b", "/b"),
        ("/a/..%2f..", "/a/..%2f.."),
        ("/a%2Fb%252Fc", "/a%2Fb%2Fc"),
        ("/%C3%BC%ff%zz%E2%82%AC%E2%82", "/ü%ff%zz€%E2%82"),
        ("//a", "//a"),
    ],
)
def test_a_path_is_decoded_and_normalised(raw: str, path: str) -> None:
    assert normalised(raw) == path


@pytest.mark.parametrize("raw", ["/a%00b", "*"])
def test_what_is_no_path_is_refused(raw: str) -> None:
    with pytest.raises(BadPathError):
        normalised(raw)


@pytest.mark.parametrize(
    ("path", "again"), [("/ü/a b", "/%C3%BC/a%20b"), ("/a%2Fb", "/a%2Fb"), ("/100%", "/100%25"), ("/a;b=c", "/a;b=c")]
)
def test_a_path_is_encoded_again(path: str, again: str) -> None:
    assert rebuilt(path) == again


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ("", {}),
        ("a=1&a=2&A=3", {"A": "1,2,3"}),
        ("limit=&page&a=1", {"a": "1"}),
        ("a=&a=1", {"a": "1"}),
        ("a=b+c%2Bd&e=%ff", {"a": "b c+d", "e": "%ff"}),
        ("&".join(f"p{n}=1" for n in range(11)) + "&P0=2", {f"p{n}": "1,2" if n == 0 else "1" for n in range(11)}),
    ],
)
def test_a_query(query: str, values: dict[str, str]) -> None:
    assert parameters(query) == values
