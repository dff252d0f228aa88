"""What digests are kept in."""

from __future__ import annotations

from shared.containers import Artifacts, Container

DIGESTS = Container(
    "digests",
    "Which digests were made, and the feedback on them. `pk` = user id: one document a week, gone after retention.",
    of_user=True,
)

PAGES = Artifacts("digests/", "The digests themselves, as JSON and HTML.", of_user=True)
