"""CSV as people have it."""

from __future__ import annotations

from typing import Any

import pytest

from shared.domains.pipelines.executing import ContentError
from shared.domains.pipelines.executors.csv_files import CsvSettings, read_csv
from support.executors import Bench, item


def read(text: str | bytes, **settings: Any) -> dict[str, Any]:
    data = text if isinstance(text, bytes) else text.encode()
    return read_csv(data, CsvSettings(**settings).model_dump())


@pytest.mark.parametrize(
    ("text", "settings", "rows"),
    [
        ("a,b\n1, 2 \n\n3,4\n", {}, [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]),
        ("a,b\n1, 2 \n", {"strip_whitespace": False}, [{"a": "1", "b": " 2 "}]),
        ("a;b\n'x;y';2", {"delimiter": ";", "quotechar": "'"}, [{"a": "x;y", "b": "2"}]),
        ("1,2\n3,4", {"has_header": False}, [{"col_0": "1", "col_1": "2"}, {"col_0": "3", "col_1": "4"}]),
        ("a,a,\n1,2,3", {}, [{"a": "1", "a_1": "2", "col_2": "3"}]),
        ("a,b\n1\n1,2,3", {}, [{"a": "1", "b": ""}, {"a": "1", "b": "2", "col_2": "3"}]),
        ("a\n1\n\n2\n3", {"max_rows": 2}, [{"a": "1"}, {"a": "2"}]),
        ("a\n\n2", {"skip_empty_rows": False}, [{"a": ""}, {"a": "2"}]),
        ("a,b,c,d,e\n1,-2.5,007,1e999,nan", {"infer_types": True}, [{"a": 1, "b": -2.5, "c": "007", "d": "1e999", "e": "nan"}]),
        ('a\n"one\ntwo"', {}, [{"a": "one\ntwo"}]),
        (b"\xef\xbb\xbfa\n\xc3\xa9", {}, [{"a": "é"}]),
        (b"a\n\xe9", {"encoding": "latin-1"}, [{"a": "é"}]),
        ("", {}, []),
    ],
)  # fmt: skip
def test_rows(text: str | bytes, settings: dict[str, Any], rows: list[Any]) -> None:
    assert read(text, **settings)["rows"] == rows


def test_another_encoding_is_told() -> None:
    with pytest.raises(ContentError, match="not utf-8: byte 2 cannot be read; name the encoding"):
        read(b"a\n\xe9")


async def test_a_file_and_a_text_are_read_in_the_sandbox() -> None:
    bench = Bench()
    given = await bench.file("a.csv", b"a,b\n1,2\n"), item(content="a,b\n1,2\n"), item(content={"file": "none"})
    first, second = await bench.do("csv_extractor", {"extract_text": True}, *given[:2])
    assert first.data["csv_output"] == second.data["csv_output"]
    assert first.data["csv_output"]["text"] == "a | b\n1 | 2"
    assert first.summary_data == {"rows_extracted": 1, "columns_detected": 2, "csv_extraction_status": "success"}
    with pytest.raises(ContentError, match="no such file"):
        await bench.do("csv_extractor", {}, given[2])
    with pytest.raises(ContentError, match="content_retriever comes before"):
        await bench.do("csv_extractor", {}, item())
    rows = await bench.do("table_row_splitter", {"table_field": "csv_output.rows"}, first)
    assert rows[0].data["row_data"] == {"a": "1", "b": "2"}
