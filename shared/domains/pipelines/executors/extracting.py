"""Text, pages, tables and pictures of documents, by the reader that all of the app uses."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from shared.domains.documents.public import Refusal, Table, Text, document_reader
from shared.domains.pipelines.content import Content
from shared.domains.pipelines.executing import ContentError, ItemSettings, Run, executor
from shared.domains.pipelines.executors import pictures
from shared.domains.pipelines.executors.csv_files import typed
from shared.domains.pipelines.executors.fields import Data
from shared.domains.pipelines.executors.retrieving import bytes_of
from shared.domains.pipelines.executors.sandboxed import parsed
from shared.settings import Settings

_MOST_CELLS = 1000
"""Cells of one sheet that are listed one by one, as in the original; its table has all."""


class ExtractorSettings(ItemSettings):
    """Where the bytes are."""

    content_field: str | None = Field(
        default=None, description="Field of `{file: ...}`, as a retriever may write it, or of a text."
    )
    temp_file_path_field: str | None = Field(default="temp_file_path", description="Field of the bytes' reference.")


class WithPictures(ExtractorSettings):
    """What becomes of pictures."""

    extract_images: bool = Field(default=False, description="Write `images`: at most 100, and 10 MiB together.")
    image_output_mode: Literal["base64", "bytes"] = Field(
        default="base64", description="Pictures as Base64, or as `{file: ...}` with a reference."
    )


async def read(
    item: Content, settings: ExtractorSettings, run: Run, formats: Sequence[str], called: str
) -> tuple[bytes, Text]:
    """The bytes and the text of a document.

    Raises:
        ContentError: there are no bytes, they cannot be read, or they are a document of another sort.
    """
    data = await bytes_of(item, settings.content_field, settings.temp_file_path_field, run)
    found = await document_reader(run.settings).read(data, item.id.filename or item.id.path or "")
    if isinstance(found, Refusal):
        raise ContentError(found.words)
    if formats and found.format not in formats:
        raise ContentError(f"this is no {called}, but a document of the format {found.format}")
    return data, found


async def images_of(data: bytes, settings: WithPictures, run: Run, how: pictures.Wanted) -> list[Data]:
    """The pictures in a document, as the settings want them."""
    if not settings.extract_images:
        return []
    made: list[Data] = []
    for number, one in enumerate(await parsed(run, pictures.pictures_in, data, how)):
        name = f"image_{number}.{one.format}"
        content: Any = {"file": await run.files.save(one.data, name)}
        if settings.image_output_mode == "base64":
            content = base64.b64encode(one.data).decode()
        known = {"page_number": one.page, "width": one.width, "height": one.height, "size_bytes": len(one.data)}
        made.append(
            {"image_index": number, "format": one.format, "data": content, "encoding": settings.image_output_mode}
            | {name: value for name, value in known.items() if value is not None}
        )
    return made


def properties_of(found: Text) -> Data:
    """What a document says of itself."""
    return {
        "title": found.title or None,
        "author": found.author or None,
        "created": found.created or None,
        "modified": found.modified or None,
        "language": found.language,
    }


def _pages(found: Text, number: str) -> list[Data]:
    listed = ((page, found.text[page.start : page.end]) for page in found.pages)
    return [{number: page.number, "text": text, "char_count": len(text)} for page, text in listed]


def tables_of(found: Text) -> list[Data]:
    """The tables of a document, as extractors write them."""
    return [
        {"table_number": number, "page_number": table.page, "rows": len(table.rows), "columns": _width(table), "data": [list(row) for row in table.rows]}
        for number, table in enumerate(found.tables, 1)
    ]  # fmt: skip


def _width(table: Table) -> int:
    return max((len(row) for row in table.rows), default=0)


class PdfSettings(WithPictures):
    """What is taken of a PDF."""

    output_field: str = Field(default="pdf_output", description="Field of what was read.")
    extract_text: bool = Field(default=True, description="Write `text`.")
    extract_pages: bool = Field(default=True, description="Write `pages`: number, text and length of each.")
    image_format: Literal["png", "jpeg", "jpg"] = Field(default="png", description="Format of pictures.")
    min_image_size: int = Field(
        default=100, ge=0, description="Pictures that are smaller both ways are left out. Unit: pixels."
    )
    page_separator: str = Field(default="\n\n---\n\n", description="Between pages in the text.")


@executor(
    "pdf_extractor",
    settings=PdfSettings,
    category="extract",
    example={"extract_images": False, "page_separator": "\n\n"},
)
async def pdf_extractor(item: Content, settings: PdfSettings, run: Run) -> Content:
    """Read text and pages of PDFs.

    Writes `text`, `pages` and, if asked for, `images`. Read by PDFium in the sandbox; a PDF of pictures alone is told as one. The summary counts pages and images.
    """
    data, found = await read(item, settings, run, ("pdf",), "PDF")
    pages = _pages(found, "page_number")
    output: Data = {}
    if settings.extract_text:
        output["text"] = settings.page_separator.join(each["text"] for each in pages)
    if settings.extract_pages:
        output["pages"] = pages
    wanted = pictures.Wanted("jpeg" if settings.image_format != "png" else "png", settings.min_image_size)
    if settings.extract_images:
        output["images"] = await images_of(data, settings, run, wanted)
    return _done(
        item, settings.output_field, output, pages_processed=len(pages), images_extracted=len(output.get("images", []))
    )


def _done(item: Content, field: str, output: Data, **summary: int) -> Content:
    item.data[field] = output
    item.summary_data |= {**summary, "extraction_status": "success"}
    return item


class WordSettings(WithPictures):
    """What is taken of a Word document."""

    output_field: str = Field(default="word_output", description="Field of what was read.")
    extract_text: bool = Field(default=True, description="Write `text`: the paragraphs.")
    extract_paragraphs: bool = Field(
        default=True, description="Write `paragraphs`: number, text, length and style of each."
    )
    extract_tables: bool = Field(default=True, description="Write `tables`.")
    extract_properties: bool = Field(default=False, description="Write `properties`: title, author, times, language.")
    paragraph_separator: str = Field(default="\n", description="Between paragraphs in the text.")
    include_empty_paragraphs: bool = Field(default=False, description="Without effect: the reader keeps no empty ones.")


@executor("word_extractor", settings=WordSettings, category="extract", example={"extract_properties": True})
async def word_extractor(item: Content, settings: WordSettings, run: Run) -> Content:
    """Read paragraphs and tables of Word documents.

    Also of OpenDocument and RTF. Writes `text`, `paragraphs` (with `Heading 1` and so on as style), `tables`, and, if asked for, `properties` and `images`.
    """
    data, found = await read(item, settings, run, ("docx", "doc", "odf", "rtf"), "Word document")
    paragraphs = _paragraphs(found)
    output: Data = {}
    if settings.extract_text:
        output["text"] = settings.paragraph_separator.join(each["text"] for each in paragraphs)
    if settings.extract_paragraphs:
        output["paragraphs"] = paragraphs
    if settings.extract_tables:
        output["tables"] = tables_of(found)
    if settings.extract_properties:
        output["properties"] = properties_of(found)
    if settings.extract_images:
        output["images"] = await images_of(data, settings, run, pictures.Wanted())
    return _done(
        item, settings.output_field, output, paragraphs_processed=len(output.get("paragraphs", [])),
        tables_extracted=len(output.get("tables", [])), images_extracted=len(output.get("images", [])),
    )  # fmt: skip


def _paragraphs(found: Text) -> list[Data]:
    """The lines that are in no table, without the marks of headings and lists."""
    levels = {each.start: each.level for each in found.headings}
    inside = [(each.start, each.end) for each in found.tables]
    made: list[Data] = []
    at = 0
    for line in found.text.splitlines(keepends=True):
        start, at = at, at + len(line)
        text = line.strip()
        if not text or any(begin <= start < end for begin, end in inside):
            continue
        style = f"Heading {levels[start]}" if start in levels else "List Paragraph" if text.startswith("- ") else None
        text = text.lstrip("#").strip() if start in levels else text.removeprefix("- ") if style else text
        made.append({"paragraph_number": len(made) + 1, "text": text, "char_count": len(text), "style": style})
    return made


class SlideSettings(WithPictures):
    """What is taken of a presentation."""

    output_field: str = Field(default="pptx_output", description="Field of what was read.")
    extract_text: bool = Field(default=True, description="Write `text`: the slides.")
    extract_slides: bool = Field(default=True, description="Write `slides`: number, title, text and length of each.")
    extract_tables: bool = Field(default=True, description="Write `tables`.")
    extract_notes: bool = Field(default=False, description="Taken: the notes of a slide are always part of its text.")
    extract_properties: bool = Field(default=False, description="Write `properties`: title, author, times, language.")
    slide_separator: str = Field(default="\n\n---\n\n", description="Between slides in the text.")
    include_slide_layouts: bool = Field(
        default=False, description="Without effect: layouts say nothing of the content."
    )


@executor("powerpoint_extractor", settings=SlideSettings, category="extract", example={"extract_notes": True})
async def powerpoint_extractor(item: Content, settings: SlideSettings, run: Run) -> Content:
    """Read slides of presentations.

    Also of OpenDocument. Writes `text`, `slides`, `tables`, and, if asked for, `properties` and `images`.
    """
    data, found = await read(item, settings, run, ("pptx", "ppt", "odf"), "presentation")
    titles = dict(_titles(found))
    slides = [{**each, "title": titles.get(each["slide_number"])} for each in _pages(found, "slide_number")]
    output: Data = {}
    if settings.extract_text:
        output["text"] = settings.slide_separator.join(each["text"] for each in slides)
    if settings.extract_slides:
        output["slides"] = slides
    if settings.extract_tables:
        output["tables"] = tables_of(found)
    if settings.extract_properties:
        output["properties"] = properties_of(found)
    if settings.extract_images:
        output["images"] = await images_of(data, settings, run, pictures.Wanted())
    return _done(
        item, settings.output_field, output, slides_processed=len(slides), tables_extracted=len(output.get("tables", [])),
        images_extracted=len(output.get("images", [])),
    )  # fmt: skip


def _titles(found: Text) -> list[tuple[int, str]]:
    """The first heading of each slide; the last word counts where there are several, so they come backwards."""
    return [
        (page.number, heading.title)
        for page in found.pages
        for heading in reversed(found.headings)
        if page.start <= heading.start < page.end
    ]


class ExcelSettings(WithPictures):
    """What is taken of a workbook."""

    ignored: ClassVar[frozenset[str]] = frozenset(
        {
            "table_format", "include_sheet_names", "include_cell_formatting", "max_rows_per_sheet", "specific_sheets", "exclude_sheets",
            "skip_hidden_sheets", "first_row_as_header", "auto_detect_headers",
        }
    )  # fmt: skip

    content_field: str | None = Field(
        default="content", description="Field of `{file: ...}`, as a retriever may write it."
    )
    output_field: str = Field(default="excel_output", description="Field of what was read.")
    extract_text: bool = Field(default=True, description="Write `text`: the rows of all sheets.")
    extract_sheets: bool = Field(
        default=True, description="Write `sheets`: name, size, first 1,000 cells and `table` of each."
    )
    extract_tables: bool = Field(default=True, description="Write `tables`: the rows of each sheet.")
    extract_properties: bool = Field(default=False, description="Write `properties`: title, author, times, sheets.")
    extract_formulas: bool = Field(
        default=False, description="Not supported: values are read, not what they are reckoned by."
    )
    extract_comments: bool = Field(default=False, description="Not supported: comments are not read.")
    sheet_separator: str = Field(default="\n\n===\n\n", description="Between sheets in the text.")
    include_empty_cells: bool = Field(
        default=False, description="Whether empty cells leave a gap in the text, and are listed."
    )
    max_rows_per_table: int = Field(default=0, ge=0, description="Most rows of a table; 0: all.")
    max_columns_per_table: int = Field(default=0, ge=0, description="Most columns of a table; 0: all.")
    read_only: bool = Field(default=True, description="Without effect: nothing is written.")
    data_only: bool = Field(default=True, description="Without effect: values are read.")


def _excel_needs(settings: ExcelSettings, _: Settings) -> Sequence[str]:
    wanted = {"extract_formulas": settings.extract_formulas, "extract_comments": settings.extract_comments}
    return [f"{name}: formulas and comments of workbooks are not read here" for name, asked in wanted.items() if asked]


@executor(
    "excel_extractor",
    settings=ExcelSettings,
    category="extract",
    example={"extract_properties": True, "max_rows_per_table": 10_000},
    needs=_excel_needs,
)
async def excel_extractor(item: Content, settings: ExcelSettings, run: Run) -> Content:
    """Read sheets of workbooks.

    Excel of either age and OpenDocument. Writes `text`, `sheets`, `tables`, and, if asked for, `properties` and `images`. Numbers are numbers, dates are texts in the form of
    ISO 8601; empty rows are left out.
    """
    data, found = await read(item, settings, run, ("sheet", "odf", "csv", "tsv", "psv"), "workbook")
    sheets = [_sheet(found, number, settings) for number in range(len(found.pages))]
    output: Data = {}
    if settings.extract_text:
        texts = (
            f"Sheet: {each['sheet_name']}\n{_as_text(each['table'], settings)}" for each in sheets if each["table"]
        )
        output["text"] = settings.sheet_separator.join(texts)
    if settings.extract_sheets:
        output["sheets"] = sheets
    if settings.extract_tables:
        output["tables"] = [_whole(each, settings) for each in sheets if each["table"]]
    if settings.extract_properties:
        names = [each["sheet_name"] for each in sheets]
        output["properties"] = {**properties_of(found), "sheet_count": len(names), "sheet_names": names}
    if settings.extract_images:
        output["images"] = await images_of(data, settings, run, pictures.Wanted())
    return _done(
        item, settings.output_field, output, sheets_processed=len(sheets), tables_extracted=len(output.get("tables", [])),
        images_extracted=len(output.get("images", [])),
    )  # fmt: skip


def _sheet(found: Text, at: int, settings: ExcelSettings) -> Data:
    page = found.pages[at]
    rows = [list(map(typed, row)) for table in found.tables if table.page == page.number for row in table.rows]
    if not rows and page.end > page.start:  # a table that is too large to be kept as one is still part of the text
        rows = [list(map(typed, _cells(line))) for line in found.text[page.start : page.end].splitlines()]
    columns = max(map(len, rows), default=0)
    cells = [
        {"cell": f"{column_name(column)}{row + 1}", "value": value, "row": row + 1, "column": column + 1}
        for row, values in enumerate(rows)
        for column, value in enumerate(values)
        if settings.include_empty_cells or value != ""
    ]
    return {
        "sheet_name": page.label or f"Sheet{at + 1}", "max_row": len(rows), "max_column": columns, "cell_count": len(cells),
        "char_count": page.end - page.start, "cells": cells[:_MOST_CELLS], "table": rows,
        **({"cells_truncated": True} if len(cells) > _MOST_CELLS else {}),
    }  # fmt: skip


def _cells(line: str) -> list[str]:
    return line.removeprefix("| ").removesuffix(" |").split(" | ")


def column_name(number: int) -> str:
    """The letters of a column, from 0: A, Z, AA."""
    name = ""
    number += 1
    while number:
        number, letter = divmod(number - 1, 26)
        name = chr(ord("A") + letter) + name
    return name


def _as_text(rows: list[list[Any]], settings: ExcelSettings) -> str:
    lines = ([str(value) for value in row if settings.include_empty_cells or value != ""] for row in rows)
    return "\n".join("\t".join(line) for line in lines if line)


def _whole(sheet: Data, settings: ExcelSettings) -> Data:
    rows, columns = sheet["table"], sheet["max_column"]
    most_rows = settings.max_rows_per_table or len(rows)
    most_columns = settings.max_columns_per_table or columns
    kept = [row[:most_columns] for row in rows[:most_rows]]
    return {
        "sheet_name": sheet["sheet_name"], "table_name": "full_sheet", "range": f"A1:{column_name(max(0, columns - 1))}{len(rows)}",
        "rows": len(kept), "columns": min(columns, most_columns), "data": kept,
        **({"truncated_rows": True} if len(rows) > most_rows else {}),
        **({"truncated_columns": True} if columns > most_columns else {}),
    }  # fmt: skip
