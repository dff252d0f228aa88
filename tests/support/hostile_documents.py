"""Documents made to do harm: small files that unpack to a lot, nest without end, or never stop."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable, Mapping

from support.documents import W, archive, docx, finished_pdf, page_object, paragraph, pdf

MIB = 2**20


def zip_bomb() -> bytes:
    """A Word file of less than 1 MiB whose text alone has 600."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file, file.open("word/document.xml", "w") as part:
        part.write(f"<w:document {W}><w:body>".encode())
        for _ in range(600):
            part.write(b"<w:p/>" * (MIB // 6))
    return made.getvalue()


def modest_bomb() -> bytes:
    """A Word file within what is unpacked, and a tree of ten times as much memory."""
    return docx("<w:p><w:r><w:t>x</w:t></w:r></w:p>" * (47 * MIB // 35))


def lying_archive() -> bytes:
    """It says that its text has a hundred bytes, and unpacks to 100 MiB."""
    honest = archive({"word/document.xml": b" " * (100 * MIB)})
    size = (100 * MIB).to_bytes(4, "little")
    return honest.replace(size, (100).to_bytes(4, "little"))


def many_entries() -> bytes:
    """An archive of more files than any document has."""
    return archive({f"word/{n}.xml": b"" for n in range(21_000)} | {"word/document.xml": b"<a/>"})


def flate_bomb() -> bytes:
    """A PDF of some 200 KiB with a page of 200 MiB that draws millions of letters."""
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"", b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    packing = zlib.compressobj(9)
    packed = packing.compress(b"BT /F1 12 Tf ")
    block = b"(a) Tj 0 1 Td " * (MIB // 14)
    for _ in range(200):
        packed += packing.compress(block)
    packed += packing.flush()
    number = page_object(objects, b"")
    objects[-2] = b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(packed), packed)
    return finished_pdf(objects, [number])


def blank_flate_bomb() -> bytes:
    """A PDF with a page of 700 MiB of blanks."""
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"", b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    packing = zlib.compressobj(9)
    packed = b"".join(packing.compress(b" " * MIB) for _ in range(700)) + packing.flush()
    number = page_object(objects, b"")
    objects[-2] = b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(packed), packed)
    return finished_pdf(objects, [number])


def endless_pages() -> bytes:
    """A PDF whose page tree leads back to itself, and says that it has a million pages."""
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"", b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    data = finished_pdf(objects, [2, 2])
    return data.replace(b"/Count 2", b"/Count 1000000")


def endless_form() -> bytes:
    """A PDF whose page draws a form that draws itself, twice."""
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"", b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    content = b"/X Do /X Do"
    resources = b"/Resources << /XObject << /X 6 0 R >> >>"
    number = page_object(objects, content)
    objects[-1] = objects[-1].replace(b"/Resources << /Font << /F1 3 0 R >> >>", resources)
    objects.append(
        b"<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] %s /Length %d >>\nstream\n%s\nendstream"
        % (resources, len(content), content)
    )
    return finished_pdf(objects, [number])


def endless_xref() -> bytes:
    """A PDF whose table of objects goes on in itself."""
    data = pdf("Words.")
    start = data.rindex(b"xref\n0 ")
    return data.replace(b"trailer << ", b"trailer << /Prev %d " % start)


def deep_arrays() -> bytes:
    """A PDF with an array nested a million times."""
    return pdf("Words.").replace(b"/Type /Catalog", b"/Type /Catalog /Deep " + b"[" * MIB + b"]" * MIB)


def deep_word() -> bytes:
    """A Word file with a table within a table, ten thousand times."""
    return docx("<w:tbl><w:tr><w:tc>" * 10_000 + paragraph("x") + "</w:tc></w:tr></w:tbl>" * 10_000)


def deep_page() -> bytes:
    """A page of 200,000 nested elements."""
    return b"<html><body>" + b"<div><table><tr><td>" * 50_000 + b"x"


def deep_rtf() -> bytes:
    """An RTF file of a million groups, one in the other."""
    return rb"{\rtf1 " + b"{" * MIB + b"x" + b"}" * MIB + b"}"


def billion_laughs() -> bytes:
    """XML whose entities grow without end."""
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    text = (
        f'<!DOCTYPE d [<!ENTITY a0 "ha">{entities}]><w:document {W}><w:body>{paragraph("&a11;")}</w:body></w:document>'
    )
    return archive({"word/document.xml": text})


def wide_sheet() -> bytes:
    """A sheet with a value in its first and its last cell."""
    cells = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>2</v></c></row>'
    return sheet(cells)


def sheet(rows: str) -> bytes:
    """An Excel file of one sheet with these rows."""
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    r = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    start = f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="{r}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    relation = f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="{r}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>'
    return archive(
        {
            "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
            "_rels/.rels": start,
            "xl/workbook.xml": f'<workbook {main} xmlns:r="{r}"><sheets><sheet name="One" sheetId="1" r:id="r1"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": relation,
            "xl/worksheets/sheet1.xml": f"<worksheet {main}><sheetData>{rows}</sheetData></worksheet>",
        }
    )


def long_sheet(rows: int) -> bytes:
    """A sheet of so many rows of six numbers."""
    return sheet(
        "".join(
            f'<row r="{n}">{"".join(f"<c><v>{n * column}</v></c>" for column in range(1, 7))}</row>'
            for n in range(1, rows + 1)
        )
    )


HOSTILE: Mapping[str, Callable[[], bytes]] = {
    "zip bomb.docx": zip_bomb,
    "modest bomb.docx": modest_bomb,
    "lying.docx": lying_archive,
    "many.docx": many_entries,
    "flate bomb.pdf": flate_bomb,
    "blank flate bomb.pdf": blank_flate_bomb,
    "endless pages.pdf": endless_pages,
    "endless form.pdf": endless_form,
    "endless xref.pdf": endless_xref,
    "deep arrays.pdf": deep_arrays,
    "deep.docx": deep_word,
    "deep.html": deep_page,
    "deep.rtf": deep_rtf,
    "laughs.docx": billion_laughs,
    "wide.xlsx": wide_sheet,
    "blanks.csv": lambda: b" " * (30 * MIB),
    "commas.csv": lambda: b",\n" * (10 * MIB),
    "quotes.csv": lambda: b'"' * (20 * MIB),
    "stars.md": lambda: b"#" * (10 * MIB) + b"=\n" * MIB,
    "brackets.html": lambda: b"<" * (20 * MIB),
    "zeros.pdf": lambda: b"%PDF-1.7\n" + bytes(50 * MIB),
    "long.xlsx": lambda: long_sheet(300_000),
    "long.csv": lambda: b"".join(b"%d,%d,three,four\n" % (n, n * 7) for n in range(300_000)),
}
