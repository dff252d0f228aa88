"""Settings of pipelines: ContentFlow's own names, where they still mean something."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from shared.settings.spec import Section, Spec, queue, schedule, setting, text, whole


def _names(given: str) -> tuple[str, ...]:
    found = tuple(each.strip() for each in given.split(",") if each.strip())
    if not all(re.fullmatch(r"[A-Z][A-Z0-9_]*", each) for each in found):
        raise ValueError(given)
    return found


def _hosts(text: str) -> tuple[str, ...]:
    found = tuple(each.strip().lower() for each in text.split(",") if each.strip())
    if not all(re.fullmatch(r"[a-z0-9.-]+(:\d{1,5})?", each) for each in found):
        raise ValueError(text)
    return found


def _folders(text: str) -> tuple[str, ...]:
    found = tuple(each.strip() for each in text.split(",") if each.strip())
    if not all(each.startswith("/") or re.match(r"[A-Za-z]:[\\/]", each) for each in found):
        raise ValueError(text)
    return found


def _container(name: str, default: str, holds: str) -> str:
    found: str = text(name, default, f"Container of {holds}.")
    return found


@dataclass(frozen=True, eq=False, repr=False)
class PipelineSettings(Section):
    """Settings of pipelines, their sources and their executions."""

    environment: tuple[str, ...] = setting(
        Spec(
            "PIPELINE_ENVIRONMENT",
            "names of settings, separated by commas",
            "Settings that pipelines may read as `${NAME}`, beside those that ContentFlow's own pipelines read.",
            _names,
        ),
        (),
    )
    task_queue: str = queue(
        "STORAGE_WORKER_QUEUE_NAME", "contentflow-execution-requests", "Queue that takes `ContentProcessingTask`s."
    )
    max_task_retries: int = whole(
        "MAX_TASK_RETRIES",
        3,
        0,
        20,
        "retries",
        "How often an executor that failed is tried again, where its task does not say.",
    )
    task_timeout_seconds: int = whole(
        "TASK_TIMEOUT_SECONDS",
        540,
        10,
        540,
        "seconds",
        "How long one executor may take over the items of an execution.",
    )
    pipelines: str = _container("COSMOS_DB_CONTAINER_PIPELINES", "pipelines", "pipelines and their versions")
    vaults: str = _container("COSMOS_DB_CONTAINER_VAULTS", "vaults", "vaults")
    executions: str = _container("COSMOS_DB_CONTAINER_VAULT_EXECUTIONS", "vault_executions", "executions")
    locks: str = _container("COSMOS_DB_CONTAINER_LOCKS", "vault_exec_locks", "the locks of crawls")
    checkpoints: str = _container(
        "COSMOS_DB_CONTAINER_CRAWL_CHECKPOINTS", "vault_crawl_checkpoints", "how far crawls have come"
    )
    watch_schedule: str = schedule(
        "PIPELINE_WATCH_SCHEDULE", "30 */5 * * * *", "When it is seen to that every vault is looked at."
    )
    polling_seconds: int = whole(
        "DEFAULT_POLLING_INTERVAL_SECONDS",
        300,
        1,
        86_400,
        "seconds",
        "How often a source is looked at that does not say.",
    )
    lock_seconds: int = whole(
        "LOCK_TTL_SECONDS", 300, 10, 3600, "seconds", "How long the lock on a crawl lasts without being renewed."
    )
    overlap_seconds: int = whole(
        "CRAWL_OVERLAP_SECONDS", 900, 0, 86_400, "seconds",
        "How far a crawl looks back before what it saw last: what becomes visible so late is found.",
    )  # fmt: skip
    execution_days: int = whole(
        "EXECUTION_RETENTION_DAYS",
        90,
        1,
        3650,
        "days",
        "How long executions are listed, and what they took is remembered.",
    )

    def queues(self) -> Mapping[str, str]:
        """The queue of tasks, with its poison queue."""
        return {self.task_queue: f"{self.task_queue}-poison"}


@dataclass(frozen=True, eq=False, repr=False)
class ExecutorOptions(Section):
    """What the executors of pipelines may reach, and take."""

    hosts: tuple[str, ...] = setting(
        Spec(
            "PIPELINE_HOSTS",
            "hosts, or `host:port`, separated by commas",
            "Services that pipelines may name beside those of Azure's own domains: the app signs in to them, and sends them content.",
            _hosts,
        ),
        (),
    )
    folders: tuple[str, ...] = setting(
        Spec(
            "PIPELINE_FOLDERS",
            "absolute paths, separated by commas",
            "Folders of the machine that `local_folder_input` and `content_retriever` may read; unset: none.",
            _folders,
        ),
        (),
    )
    max_file_bytes: int = whole(
        "PIPELINE_MAX_FILE_BYTES", 64 * 2**20, 1024, 2**31, "bytes", "Largest file that a pipeline retrieves."
    )
