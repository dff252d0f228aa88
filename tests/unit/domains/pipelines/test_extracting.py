"""Extractors on real documents."""

from __future__ import annotations

import base64
import io
from typing import Any

import pytest
from PIL import Image

from shared.domains.pipelines.content import Content
from shared.domains.pipelines.executing import ContentError
from shared.domains.pipelines.executors.extracting import column_name
from support.executors import Bench
from support.shared_folder import data

DOCUMENTS = data("documents")


async def extracted(name: str, path: str, bench: Bench | None = None, **settings: Any) -> Content:
    bench = bench or Bench()
    given = await bench.file(path.rsplit("/", 1)[-1], (DOCUMENTS / path).read_bytes())
    (made,) = await bench.do(name, settings, given)
    return made


async def test_pages_of_a_pdf() -> None:
    made = await extracted("pdf_extractor", "expected/textract/pdf__raw_text.pdf", page_separator="\n==\n")
    output = made.data["pdf_output"]
    assert made.summary_data["pages_processed"] == len(output["pages"]) > 0
    assert output["text"] == "\n==\n".join(each["text"] for each in output["pages"])
    assert output["pages"][0] == {
        "page_number": 1,
        "text": output["pages"][0]["text"],
        "char_count": len(output["pages"][0]["text"]),
    }
    assert "images" not in output


async def test_pictures_of_a_pdf_are_pictures() -> None:
    bench = Bench()
    found = (
        sorted((DOCUMENTS / "pdf" / "py-pdf-sample-files").glob("*image*.pdf"))
        or sorted((DOCUMENTS / "pdf").rglob("*.pdf"))[:12]
    )
    count = 0
    for file in found:
        try:
            made = await extracted(
                "pdf_extractor", str(file.relative_to(DOCUMENTS)), bench, extract_images=True, min_image_size=10
            )
        except ContentError:
            continue
        for each in made.data["pdf_output"]["images"]:
            picture = Image.open(io.BytesIO(base64.b64decode(each["data"])))
            assert (picture.format, picture.width, picture.height) == ("PNG", each["width"], each["height"])
            count += 1
    assert count


async def test_paragraphs_tables_and_properties_of_a_word_document() -> None:
    made = await extracted(
        "word_extractor",
        "expected/textract/docx__paragraphs_and_tables.docx",
        extract_properties=True,
        extract_images=True,
    )
    output = made.data["word_output"]
    assert output["text"] == "\n".join(each["text"] for each in output["paragraphs"])
    assert made.summary_data["tables_extracted"] == len(output["tables"]) > 0
    assert all(len(each["data"]) == each["rows"] for each in output["tables"])
    assert {"title", "author", "created", "modified", "language"} == set(output["properties"])
    rows = await Bench().do("table_row_splitter", {"table_field": "word_output.tables"}, made)
    assert rows


async def test_headings_have_their_style() -> None:
    made = await extracted("word_extractor", "expected/docling/docx/unit_test_headers.docx", extract_tables=False)
    styles = [each["style"] for each in made.data["word_output"]["paragraphs"]]
    assert "Heading 1" in styles
    assert None in styles
    assert not any(each["text"].startswith("#") for each in made.data["word_output"]["paragraphs"])


async def test_slides_of_a_presentation() -> None:
    made = await extracted("powerpoint_extractor", "expected/docling/pptx/powerpoint_sample.pptx")
    output = made.data["pptx_output"]
    assert [each["slide_number"] for each in output["slides"]] == list(range(1, len(output["slides"]) + 1))
    assert output["slides"][0]["title"]
    assert output["tables"]


async def test_sheets_of_a_workbook_have_numbers_and_cells() -> None:
    made = await extracted(
        "excel_extractor", "expected/markitdown/test.xlsx", max_rows_per_table=3, max_columns_per_table=2
    )
    sheet, *_ = made.data["excel_output"]["sheets"]
    assert sheet["sheet_name"] == "Sheet1"
    assert sheet["cells"][0] == {"cell": "A1", "value": "Alpha", "row": 1, "column": 1}
    assert sheet["table"][1] == [89, 82, 100, 12]
    table = made.data["excel_output"]["tables"][0]
    assert table["data"] == [["Alpha", "Beta"], [89, 82], [76, 89]]
    assert (table["range"], table["truncated_rows"], table["truncated_columns"]) == ("A1:D24", True, True)
    rows = await Bench().do("table_row_splitter", {"table_field": "excel_output.sheets.0.table"}, made)
    assert rows[0].data["row_data"] == {"Alpha": 89, "Beta": 82, "Gamma": 100, "Delta": 12}
    assert [column_name(n) for n in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]
    assert "not read here" in Bench().needs("excel_extractor", {"extract_formulas": True})[0]


async def test_pictures_of_office_documents_can_be_references() -> None:
    bench = Bench()
    made = await extracted(
        "word_extractor",
        "expected/docling/docx/word_image_anchors.docx",
        bench,
        extract_images=True,
        image_output_mode="bytes",
    )
    (picture, *_) = made.data["word_output"]["images"]
    assert Image.open(io.BytesIO(await bench.files.load(picture["data"]["file"]))).width
    assert picture["encoding"] == "bytes"


@pytest.mark.parametrize(
    ("name", "path", "words"),
    [
        ("pdf_extractor", "expected/textract/docx__raw_text.docx", "this is no PDF"),
        ("word_extractor", "expected/textract/pdf__raw_text.pdf", "this is no Word document"),
        ("excel_extractor", "tika/testEXCEL_protected_passtika.xlsx", "protected by a password"),
    ],
)
async def test_what_cannot_be_read_is_told_in_words(name: str, path: str, words: str) -> None:
    with pytest.raises(ContentError, match=words):
        await extracted(name, path)
