"""Settings of workers outside of Functions (`dev.py worker`), by ContentFlow's names."""

from __future__ import annotations

from dataclasses import dataclass

from shared.settings.spec import Section, Spec, number, setting, text, whole


def _switch(given: str) -> bool:
    words = {"true": True, "1": True, "false": False, "0": False}
    if given.lower() not in words:
        raise ValueError(given)
    return words[given.lower()]


@dataclass(frozen=True, eq=False, repr=False)
class WorkerSettings(Section):
    """Settings of workers outside of Functions."""

    worker_name: str = text("WORKER_NAME", "contentflow-worker", "What the worker is called in health and status.")
    processing_workers: int = whole(
        "NUM_PROCESSING_WORKERS",
        2,
        0,
        64,
        "processes",
        "Processes of `dev.py worker` that run jobs, and take in tasks.",
    )
    source_workers: int = whole(
        "NUM_SOURCE_WORKERS", 2, 0, 64, "processes",
        "Processes of `dev.py worker` that look for content: they run what is of low priority, and look after every job.",
    )  # fmt: skip
    queue_poll_seconds: float = number(
        "QUEUE_POLL_INTERVAL_SECONDS", 5, 0.1, 300, "seconds", "How long a worker waits that found its queues empty."
    )
    queue_visibility_seconds: int = whole(
        "QUEUE_VISIBILITY_TIMEOUT_SECONDS",
        300,
        5,
        43_200,
        "seconds",
        "How long a message is hidden that a worker took.",
    )
    queue_messages: int = whole(
        "QUEUE_MAX_MESSAGES", 8, 1, 32, "messages", "Most messages that a worker takes at a time."
    )
    worker_api: bool = setting(
        Spec("API_ENABLED", "`true` or `false`", "Whether `dev.py worker` serves health, status and metrics.", _switch),
        True,
    )
    worker_host: str = text("API_HOST", "127.0.0.1", "The address at which it does.")
    worker_port: int = whole("API_PORT", 8099, 0, 65_535, "port", "The port; 0: a free one.")
