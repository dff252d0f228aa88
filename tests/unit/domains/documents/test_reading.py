"""Reading documents: what is in them, in reading order, and words for whoever uploaded one that cannot be read."""

from __future__ import annotations

import re

import pytest

from shared.declarations import settings_of
from shared.domains.documents.reader import document_reader
from shared.domains.documents.reading.dispatch import Part, read_part
from shared.domains.documents.text import Outcome, Refusal, Text
from support.documents import archive, docx, paragraph, pdf, protected

READER = document_reader(settings_of({}))


def read(data: bytes, name: str, password: str | None = None) -> Text | Refusal:
    """Read as the sandbox does, without it."""
    found = read_part(data, name, password)
    return found.text if isinstance(found, Part) else found


def text(data: bytes, name: str) -> Text:
    found = read(data, name)
    assert isinstance(found, Text)
    return found


async def test_the_reader_tells_all_that_a_pdf_says() -> None:
    data = pdf("The parcel was left\nwith the neighbours.", "They were not at home.", title="A parcel")
    found = await READER.read(data, "parcel.pdf")
    assert isinstance(found, Text)
    assert (found.outcome, found.format, found.language) == (Outcome.TEXT, "pdf", "en")
    assert (found.title, found.author, found.created) == ("A parcel", "Ann Author", "2024-05-06T07:08:09+00:00")
    assert [found.text[page.start : page.end] for page in found.pages] == [
        "The parcel was left\nwith the neighbours.",
        "They were not at home.",
    ]
    assert found.of_page(2) == "They were not at home."


def test_a_word_file_has_headings_lists_tables_links_and_notes() -> None:
    styles = '<w:styles {w}><w:style w:styleId="H1"><w:name w:val="heading 1"/></w:style></w:styles>'
    w = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    relations = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="r1" Type="x/hyperlink" Target="https://example.com/" TargetMode="External"/>'
        '<Relationship Id="r2" Type="x/footnotes" Target="footnotes.xml"/></Relationships>'
    )
    cell = "<w:tc>{}</w:tc>"
    row = "<w:tr>{}{}</w:tr>"
    link = (
        '<w:p><w:hyperlink r:id="r1" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
        "<w:r><w:t>a link</w:t></w:r></w:hyperlink></w:p>"
    )
    body = (
        paragraph("Chapter", "H1")
        + '<w:p><w:pPr><w:numPr><w:ilvl w:val="0"/></w:numPr></w:pPr><w:r><w:t>an item</w:t></w:r></w:p>'
        + f"<w:tbl>{row.format(*(cell.format(paragraph(each)) for each in 'ab'))}</w:tbl>"
        + link
        + "<w:p><w:del><w:r><w:delText>gone</w:delText></w:r></w:del><w:r><w:t>kept</w:t></w:r></w:p>"
    )
    notes = f"<w:footnotes {w}><w:footnote>{paragraph('a note')}</w:footnote></w:footnotes>"
    parts = {
        "word/styles.xml": styles.format(w=w),
        "word/_rels/document.xml.rels": relations,
        "word/footnotes.xml": notes,
    }
    found = text(docx(body, **parts), "x.docx")
    assert found.text == "# Chapter\n\n- an item\n\n| a | b |\n\na link\n\nkept\n\na note"
    assert [(heading.level, heading.title, heading.start) for heading in found.headings] == [(1, "Chapter", 0)]
    assert [table.rows for table in found.tables] == [(("a", "b"),)]
    assert found.links == ("https://example.com/",)
    assert (found.title, found.author) == ("A title", "Ann Author")


def test_a_page_of_the_web_is_read_whole_and_in_order() -> None:
    page = (
        b"<html><head><title>T</title><style>x{}</style></head><body><h2>Head</h2><p>one <b>two</b>three<br>four</p>"
        b"<ul><li>x</li><li>y<ul><li>z</li></ul></li></ul><script>no</script><table><tr><th>a<td>b<tr><td>c<td>d</table>"
        b"tail <a href='https://example.com/a'>link</a></body></html>"
    )
    found = text(page, "page")
    assert found.text == "## Head\n\none twothree\nfour\n\n- x\n- y\n  - z\n\n| a | b |\n| c | d |\n\ntail link"
    assert (found.title, found.links) == ("T", ("https://example.com/a",))


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("utf-8", "naïve café"),
        ("utf-16", "naïve café"),
        ("cp1252", "naïve café: œuvre"),
        ("cp500", "Name and address of the people here"),
    ],
)
def test_text_is_read_in_its_encoding(encoding: str, words: str) -> None:
    assert text(words.encode(encoding), "x.txt").text == words


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_values_are_a_table_whatever_separates_them(delimiter: str) -> None:
    lines = [delimiter.join(each) for each in (("name", "size"), ('"a, b; c"', "1"), ("d", "2"))]
    (table,) = text("\n".join(lines).encode(), "x.csv").tables
    assert table.rows == (("name", "size"), ("a, b; c", "1"), ("d", "2"))


def test_headings_of_markdown_are_known_and_its_text_is_kept_to_the_letter() -> None:
    source = "# One\n\n```\n# no heading\n```\n\n## Two ##\n\nUnder\n=====\n"
    found = text(source.encode(), "x.md")
    assert found.text == source
    assert [(source[each.start :].split("\n", maxsplit=1)[0], each.level, each.title) for each in found.headings] == [
        ("# One", 1, "One"), ("## Two ##", 2, "Two"), ("Under", 1, "Under"),
    ]  # fmt: skip


def test_a_message_tells_who_wrote_and_what() -> None:
    data = b"From: ann@example.com\r\nTo: bob@example.com\r\nDate: Mon, 06 May 2024 07:08:09 +0000\r\nSubject: =?utf-8?q?Caf=C3=A9?=\r\n\r\nHello.\r\n"
    found = text(data, "x.eml")
    assert (found.title, found.author, found.created) == ("Café", "ann@example.com", "2024-05-06T07:08:09+00:00")
    assert found.text.endswith("Subject: Café\n\nHello.")


def test_rich_text_is_read() -> None:
    found = text(rb"{\rtf1\ansi{\info{\title T}{\creatim\yr2024\mo5\dy6}}\'e9t\'e9\par two}", "x.rtf")
    assert (found.text, found.title, found.created) == ("été\n\ntwo", "T", "2024-05-06T00:00:00")


@pytest.mark.parametrize(
    ("data", "name", "outcome"),
    [
        (b"", "x.pdf", Outcome.NO_TEXT),
        (b" \n ", "x.txt", Outcome.NO_TEXT),
        (b"%PDF-1.4\nnothing", "x.pdf", Outcome.BROKEN),
        (b"PK\x03\x04nothing", "x.docx", Outcome.BROKEN),
        (b"no archive at all", "x.docx", Outcome.BROKEN),
        (archive({"readme": "x"}), "x.zip", Outcome.UNSUPPORTED),
        (bytes(range(256)) * 9, "x.bin", Outcome.UNSUPPORTED),
        (archive({"word/document.xml": "<a"}), "x.docx", Outcome.BROKEN),
    ],
)
def test_what_cannot_be_read_says_why_in_words(data: bytes, name: str, outcome: Outcome) -> None:
    found = read(data, name)
    assert isinstance(found, Refusal)
    assert found.outcome is outcome
    assert re.fullmatch(r"[A-Z].{10,}\.", found.words)


async def test_pages_without_text_are_no_text() -> None:
    found = await READER.read(pdf("", ""), "scan.pdf")
    assert isinstance(found, Refusal)
    assert (found.outcome, found.format) == (Outcome.NO_TEXT, "pdf")


def test_a_format_of_the_optional_package_is_refused_by_its_name_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.domains.documents.reading.extra.find_spec", lambda _: None)
    data = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "WordDocument".encode("utf-16-le")
    found = read(data, "x.doc")
    assert isinstance(found, Refusal)
    assert (found.outcome, "kreuzberg" in found.words) == (Outcome.UNSUPPORTED, True)


def test_an_office_file_opens_by_its_password_and_by_no_other() -> None:
    data = protected(docx(paragraph("Nobody may know this.")), "sesame")
    for password in (None, "", "no"):
        found = read(data, "x.docx", password)
        assert isinstance(found, Refusal)
        assert (found.outcome, found.format) == (Outcome.ENCRYPTED, "office")
    opened = read(data, "x.docx", "sesame")
    assert isinstance(opened, Text)
    assert (opened.text, opened.format) == ("Nobody may know this.", "docx")
