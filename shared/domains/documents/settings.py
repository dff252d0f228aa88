"""Settings of documents."""

from __future__ import annotations

from dataclasses import dataclass

from shared.settings.spec import Section, number, queue, schedule, text, url, whole


@dataclass(frozen=True, eq=False, repr=False)
class DocumentSettings(Section):
    """Settings of documents."""

    max_bytes: int = whole(
        "DOCUMENT_MAX_BYTES", 200 * 2**20, 1024, 2**30, "bytes", "Largest document that is taken and read."
    )
    processes: int = whole(
        "DOCUMENT_PROCESSES", 2, 1, 64, "processes", "Most child processes of one worker that read documents."
    )
    cpu_seconds: int = whole(
        "DOCUMENT_CPU_SECONDS", 5, 2, 300, "seconds",
        "CPU time that a document may take to be read; for a PDF, that some seconds' worth of its pages may take.",
    )  # fmt: skip
    seconds: float = number(
        "DOCUMENT_SECONDS", 240, 5, 3600, "seconds", "Longest time that reading one document may take."
    )
    memory_mb: int = whole(
        "DOCUMENT_MEMORY_MB", 1024, 512, 65536, "MiB", "Address space of each of these processes; it is killed beyond."
    )
    files_container: str = queue(
        "DOCUMENT_FILES_CONTAINER",
        "documents",
        "Blob container of files, of what was read of them, and of uploads.",
        63,
    )
    queue_schedule: str = schedule(
        "DOCUMENT_QUEUE_SCHEDULE", "0 40 */6 * * *", "When is seen to documents that wait without a job."
    )
    intelligence_endpoint: str | None = url(
        "AZURE_DOCUMENT_INTELLIGENCE_ENDPOINT",
        "Azure Document Intelligence, for what holds no text of its own; unset: nothing reads that.",
    )
    intelligence_key: str | None = text(
        "AZURE_DOCUMENT_INTELLIGENCE_KEY", None, "Key; unset: the identity is used.", secret=True
    )
    intelligence_model: str = text("AZURE_DOCUMENT_INTELLIGENCE_MODEL", "prebuilt-layout", "Model that it reads with.")
