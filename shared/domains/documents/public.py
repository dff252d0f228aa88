"""What other domains may have of documents: reading them, and splitting what was read.

Example::

    found = await document_reader(job.settings).read(data, "report.pdf")
    if isinstance(found, Refusal): ...      # found.outcome, found.words
    for chunk in split(found, size=1000, overlap=150): ...
"""

from shared.domains.documents.reader import DocumentReader, document_reader
from shared.domains.documents.splitting import Chunk, split, split_text
from shared.domains.documents.text import Heading, Outcome, Page, Refusal, Table, Text

__all__ = [
    "Chunk",
    "DocumentReader",
    "Heading",
    "Outcome",
    "Page",
    "Refusal",
    "Table",
    "Text",
    "document_reader",
    "split",
    "split_text",
]
