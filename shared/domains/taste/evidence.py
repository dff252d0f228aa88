"""Evidence: what one signal on one image of an item says about a user's taste."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from shared.domains.taste.feedback import Signal, TasteJob
from shared.domains.taste.findings import Findings
from shared.ports import Document

EVIDENCE = "evidence"
"""What these documents say that they are."""


@dataclass(frozen=True, slots=True)
class ImageNote:
    """What became of the item's image."""

    status: str
    """`none` (there is no image), `read`, or `refused` for good."""
    reason: str | None = None
    """Why it is missing."""

    def to_json(self) -> dict[str, str]:
        """As it is stored and answered."""
        return {"status": self.status} | ({"reason": self.reason} if self.reason else {})


@dataclass(frozen=True, slots=True)
class Evidence:
    """One signal. Of the item only its id and what the analysis found are kept: none of its text, nor its address."""

    id: str
    user_id: str
    item_id: str
    gallery_image_index: int
    signal: Signal
    occurred_at: datetime
    findings: Findings
    image: ImageNote

    @property
    def version(self) -> int:
        """The moment of the signal, in milliseconds: of two signals on one item, the later one stands."""
        return int(self.occurred_at.timestamp() * 1000)

    @property
    def sort(self) -> str:
        """Sorts by time, and is unique."""
        return f"{iso(self.occurred_at)}|{self.id}"

    @classmethod
    def of(cls, job: TasteJob, findings: Findings, image: ImageNote) -> Evidence:
        """The evidence that a job amounts to."""
        return cls(
            id=evidence_id(job.user_id, job.item_id, job.gallery_image_index),
            user_id=job.user_id,
            item_id=job.item_id,
            gallery_image_index=job.gallery_image_index,
            signal=job.signal,
            occurred_at=job.occurred_at.astimezone(UTC),
            findings=findings,
            image=image,
        )

    def to_document(self) -> Document:
        """The document, in the partition of its user."""
        return {
            "id": self.id,
            "pk": self.user_id,
            "kind": EVIDENCE,
            "version": self.version,
            "sort": self.sort,
            "item_id": self.item_id,
            "gallery_image_index": self.gallery_image_index,
            "signal": self.signal,
            "occurred_at": iso(self.occurred_at),
            "facets": self.findings.facets,
            "sources": self.findings.sources,
            "image": self.image.to_json(),
        }

    @classmethod
    def from_document(cls, document: Document) -> Evidence:
        """Read back what `to_document` made."""
        return cls(
            id=document["id"],
            user_id=document["pk"],
            item_id=document["item_id"],
            gallery_image_index=document["gallery_image_index"],
            signal=document["signal"],
            occurred_at=datetime.fromisoformat(document["occurred_at"]),
            findings=Findings(document["facets"], document["sources"]),
            image=ImageNote(document["image"]["status"], document["image"].get("reason")),
        )


def evidence_id(user_id: str, item_id: str, gallery_image_index: int) -> str:
    """The id of the one document that a user has about an image of an item."""
    name = f"{user_id}\n{item_id}\n{gallery_image_index}"
    return f"e-{hashlib.sha256(name.encode()).hexdigest()[:32]}"


def iso(moment: datetime) -> str:
    """Always with six digits of fraction, so that text sorts as time does."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
