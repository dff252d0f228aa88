"""What other domains may have of documents: reading them.

Example::

    found = await document_reader(job.settings).read(data, "report.pdf")
    if isinstance(found, Refusal): ...      # found.outcome, found.words
"""

from shared.domains.documents.reader import document_reader
from shared.domains.documents.text import Refusal, Table, Text

__all__ = ["Refusal", "Table", "Text", "document_reader"]
