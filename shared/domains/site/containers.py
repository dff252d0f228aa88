"""What the site keeps in documents. Its editions are blobs below `site/`, of which it looks after itself."""

from __future__ import annotations

from shared.containers import Container

ARTICLES = Container(
    "articles",
    "What the site shows: items that were collected, and enriched. `pk` = the article's id (a hash): one document per partition.",
    indexed=("expires_at", "sort"),
)
