"""What documents are kept in."""

from __future__ import annotations

from shared.containers import Container

DOCUMENTS = Container(
    "documents",
    "What is known of each document, and for an hour a password that was given for one. `pk` = the document's id: one or two small "
    "documents per partition.",
    indexed=("sort", "status", "format", "language", "outcome", "reader", "sha256", "waiting_sha256"),
)
