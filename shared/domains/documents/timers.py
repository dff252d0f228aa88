"""The timer of documents."""

from __future__ import annotations

from datetime import timedelta

from shared.domains.documents.settings import DocumentSettings
from shared.jobs import Missed, Timer

TEND_DOCUMENTS = Timer(
    "TendDocuments",
    schedule=lambda settings: settings.of(DocumentSettings).queue_schedule,
    kind="tend-documents",
    missed=Missed.ONCE,
    meaning="Sees to documents that wait without a job, and to uploads that nobody committed.",
    payload=lambda scheduled_at: {},  # noqa: ARG005 - the job takes nothing
    healthy_for=timedelta(hours=36),
)
