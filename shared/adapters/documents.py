"""What the document adapters have in common: which names and ids they take, and how pages are cut."""

from __future__ import annotations

import re
from typing import Any

from shared.ports import Document, Page, Query

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_ID = re.compile(r"[^/\\?#\r\n]{0,254}[^/\\?#\r\n ]")


def checked_name(name: str) -> str:
    """A property's name, which goes into the text of a query: only letters, digits and underscores.

    Raises:
        ValueError: if it has anything else in it.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"not the name of a property: {name!r}")
    return name


def checked_id(id: str) -> str:
    r"""A document's id: what Cosmos DB takes, so that what works on one machine works in Azure.

    Raises:
        ValueError: if it is empty, has more than 255 characters or one of ``/ \ ? #``, or ends with a space.
    """
    if not _ID.fullmatch(id):
        raise ValueError(f"not the id of a document: {id!r}")
    return id


def page(documents: list[Document], query: Query) -> Page:
    """One page out of up to `limit` + 1 documents: the one too many says that there are more."""
    items = documents[: query.limit]
    cursor: Any = items[-1][query.order_by] if len(documents) > query.limit and items else None
    return Page(items, cursor)
