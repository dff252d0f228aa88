"""Every setting of the app, once: name, type, default, unit and meaning.

Settings are read from the environment (app settings in Azure, ``local.settings.json`` on a developer's machine) when the
app starts. A value that does not fit stops the start with a `SettingsError` that names each one that is wrong: better no
function at deployment than a wrong one at night. Plain dataclass, no model library: this is on the path of a cold start.
"""

from __future__ import annotations

import os
import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from functools import cache
from typing import Any


class SettingsError(ValueError):
    """An app setting holds a value that the app cannot work with."""


@dataclass(frozen=True, slots=True)
class Spec:
    """What is known of one setting."""

    name: str
    kind: str
    """What a value is, in words: the "expected" of an error and of the reference."""
    meaning: str
    read: Callable[[str], Any]
    """From text to value; ValueError where it does not fit."""
    secret: bool = False


def _number(name: str, default: float, low: float, high: float, unit: str, meaning: str) -> Any:
    kind = f"a number from {low:g} to {high:g}"
    return _setting(Spec(name, kind, f"{meaning} Unit: {unit}.", _within(float, low, high)), default)


def _whole(name: str, default: int, low: int, high: int, unit: str, meaning: str) -> Any:
    kind = f"a whole number from {low} to {high}"
    return _setting(Spec(name, kind, f"{meaning} Unit: {unit}.", _within(int, low, high)), default)


def _text(name: str, default: str | None, meaning: str, *, secret: bool = False) -> Any:
    return _setting(Spec(name, "text", meaning, str, secret), default)


def _url(name: str, meaning: str, default: str | None = None) -> Any:
    return _setting(Spec(name, "an http or https address", meaning, _matching(r"https?://[^\s/]+\S*")), default)


def _queue(name: str, default: str, meaning: str, longest: int = 63 - len("-poison")) -> Any:
    kind = f"3 to {longest} lower-case letters, digits and single hyphens"
    return _setting(Spec(name, kind, meaning, _matching(rf"(?=.{{3,{longest}}}$)[a-z0-9](-?[a-z0-9])*")), default)


def _schedule(name: str, default: str, meaning: str) -> Any:
    kind = "an NCRONTAB expression of five or six fields"
    return _setting(Spec(name, kind, f"{meaning} UTC.", _matching(r"\S+(\s+\S+){4,5}")), default)


def _secrets(name: str, meaning: str) -> Any:
    kind = "`whsec_` and the Base64 of 24 to 64 bytes, one or several separated by spaces"
    return _setting(Spec(name, kind, meaning, _keys, secret=True), ())


def _keys(text: str) -> tuple[str, ...]:
    keys = tuple(text.split())
    for key in keys:
        if not key.startswith("whsec_") or not 24 <= len(b64decode(key.removeprefix("whsec_"), validate=True)) <= 64:
            raise ValueError(text)
    return keys


def _setting(spec: Spec, default: Any) -> Any:
    return field(default=default, repr=not spec.secret, metadata={"spec": spec})


def _within(number: Callable[[str], Any], low: float, high: float) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        value = number(text)
        if not low <= value <= high:
            raise ValueError(text)
        return value

    return read


def _matching(pattern: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(text)
        return text

    return read


@dataclass(frozen=True)
class Settings:
    """The app's settings. The name in the environment stands first in each line."""

    # --- storage -----------------------------------------------------------------------------------------------
    storage_connection: str | None = _text(
        "AzureWebJobsStorage", None, "Connection string of the storage account (Azurite, or a shared key).", secret=True
    )
    storage_account: str | None = _text(
        "AzureWebJobsStorage__accountName", None, "Name of the storage account, for access by identity."
    )
    storage_blob_uri: str | None = _url("AzureWebJobsStorage__blobServiceUri", "Blob endpoint, for access by identity.")
    storage_queue_uri: str | None = _url(
        "AzureWebJobsStorage__queueServiceUri", "Queue endpoint, for access by identity."
    )
    storage_credential: str | None = _text(
        "AzureWebJobsStorage__credential", None, "`managedidentity`; unset: the default chain of credentials."
    )
    storage_client_id: str | None = _text(
        "AzureWebJobsStorage__clientId", None, "Client id of the user-assigned identity for storage."
    )
    azure_client_id: str | None = _text(
        "AZURE_CLIENT_ID", None, "Client id of the user-assigned identity for everything else."
    )
    status_container: str = _queue(
        "NIGHTSHIFT_STATUS_CONTAINER", "hot-topics", "Blob container of `jobs/{job_id}/status.json`.", 63
    )

    # --- documents ---------------------------------------------------------------------------------------------
    cosmos_endpoint: str | None = _url(
        "COSMOS_ENDPOINT", "Cosmos DB account; where it is unset, documents are kept in SQLite."
    )
    cosmos_key: str | None = _text(
        "COSMOS_KEY", None, "Account key, for emulators; unset: the identity is used.", secret=True
    )
    cosmos_database: str = _text("COSMOS_DATABASE", "nightshift", "Database name.")
    sqlite_path: str = _text(
        "NIGHTSHIFT_SQLITE_PATH", ".nightshift/nightshift.db", "File of the embedded document store."
    )

    # --- the engine --------------------------------------------------------------------------------------------
    lease_seconds: float = _number(
        "JOBS_LEASE_SECONDS", 60, 1, 3600, "seconds", "How long a claim lasts without a sign of life."
    )
    sweep_grace_seconds: float = _number(
        "JOBS_SWEEP_GRACE_SECONDS", 120, 0, 86400, "seconds",
        "How long past its time a job must be before the sweep takes it for stuck.",
    )  # fmt: skip
    sweep_schedule: str = _schedule("JOBS_SWEEP_SCHEDULE", "0 */5 * * * *", "When recent jobs are swept.")
    full_sweep_schedule: str = _schedule("JOBS_FULL_SWEEP_SCHEDULE", "0 30 3 * * *", "When all jobs are swept.")
    retry_after_seconds: int = _whole(
        "JOBS_RETRY_AFTER_SECONDS", 2, 1, 3600, "seconds", "How long a client is told to wait between polls."
    )
    idempotency_ttl_seconds: int = _whole(
        "JOBS_IDEMPOTENCY_TTL_SECONDS", 86400, 60, 2592000, "seconds", "How long an `Idempotency-Key` is remembered."
    )
    longest_wait_seconds: float = _number(
        "JOBS_LONGEST_WAIT_SECONDS", 60, 0, 200, "seconds", "How long `Prefer: wait=N` holds an answer at most."
    )
    queue_high: str = _queue("JOBS_HIGH_QUEUE_NAME", "jobs-high", "General queue, high priority.")
    queue_normal: str = _queue("JOBS_QUEUE_NAME", "jobs", "General queue, normal priority.")
    queue_low: str = _queue("JOBS_LOW_QUEUE_NAME", "jobs-low", "General queue, low priority.")

    # --- webhooks ----------------------------------------------------------------------------------------------
    webhook_secrets: tuple[str, ...] = _secrets(
        "WEBHOOK_SECRET",
        "Signs completion callbacks (Standard Webhooks): `whsec_` and the Base64 of 24 to 64 bytes. Several, separated by "
        "spaces, all sign, so that receivers can move from one to the next. Unset: no callbacks are taken.",
    )
    webhook_timeout_seconds: float = _number(
        "WEBHOOK_TIMEOUT_SECONDS", 15, 0.1, 120, "seconds", "How long a receiver may take to answer."
    )
    webhook_max_attempts: int = _whole(
        "WEBHOOK_MAX_ATTEMPTS", 12, 1, 50, "attempts", "Tries before a callback gives up."
    )
    webhook_base_backoff_seconds: float = _number(
        "WEBHOOK_BASE_BACKOFF_SECONDS", 10, 0, 86400, "seconds", "Ceiling of the first retry's delay; doubles."
    )
    webhook_max_backoff_seconds: float = _number(
        "WEBHOOK_MAX_BACKOFF_SECONDS", 21600, 0, 604800, "seconds", "Ceiling of every retry's delay."
    )

    # --- taste -------------------------------------------------------------------------------------------------
    taste_queue: str = _queue("TASTE_JOB_QUEUE_NAME", "taste-analysis-jobs", "Queue of taste analysis jobs.")
    taste_poison_queue: str = _queue(
        "TASTE_JOB_DEAD_LETTER_QUEUE_NAME", "taste-analysis-jobs-poison",
        "Poison queue of taste analysis; default: `{TASTE_JOB_QUEUE_NAME}-poison`, the host's own name for it.",
        63,
    )  # fmt: skip
    taste_max_retries: int = _whole(
        "TASTE_JOB_MAX_RETRIES", 4, 0, 50, "retries", "Retries after the first attempt of a taste job."
    )
    taste_base_backoff_seconds: float = _number(
        "TASTE_JOB_BASE_BACKOFF_SECONDS", 5, 0, 86400, "seconds", "Ceiling of the first retry's delay; doubles."
    )
    taste_max_backoff_seconds: float = _number(
        "TASTE_JOB_MAX_BACKOFF_SECONDS", 300, 0, 604800, "seconds", "Ceiling of every retry's delay."
    )
    taste_jitter_seconds: float = _number(
        "TASTE_JOB_JITTER_SECONDS", 2, 0, 86400, "seconds", "Largest random delay added to every retry."
    )
    taste_dedupe_ttl_seconds: int = _whole(
        "TASTE_JOB_DEDUPE_TTL_SECONDS", 3600, 0, 2592000, "seconds",
        "How long the same signal on the same item gets the first ticket; 0 turns dedupe off.",
    )  # fmt: skip
    taste_prior_schedule: str = _schedule(
        "TASTE_PRIOR_SCHEDULE", "0 15 * * * *", "When what all users like is worked out anew."
    )

    # --- collection --------------------------------------------------------------------------------------------
    collect_max_bytes: int = _whole(
        "COLLECT_MAX_BYTES", 5 * 1024 * 1024, 1024, 2**30, "bytes", "Largest feed, listing or page that is collected."
    )
    reddit_url: str = _url("REDDIT_URL", "Reddit's public address.", "https://www.reddit.com")
    reddit_api_url: str = _url("REDDIT_API_URL", "Reddit's API for those who signed in.", "https://oauth.reddit.com")
    reddit_client_id: str | None = _text(
        "REDDIT_CLIENT_ID", None, "Id of the application at Reddit; unset: the public JSON is read."
    )
    reddit_client_secret: str | None = _text(
        "REDDIT_CLIENT_SECRET", None, "Its secret; a Key Vault reference in Azure.", secret=True
    )
    hot_topics_schedule: str = _schedule("HOT_TOPICS_SCHEDULE", "0 0 */6 * * *", "When hot topics are collected.")
    hot_topics: str = _setting(
        Spec(
            "HOT_TOPICS",
            "comma-separated names of subreddits",
            "The subreddits whose hot topics are collected.",
            _matching(r"\w{2,24}(\s*,\s*\w{2,24}){0,49}"),
        ),
        "technology,programming",
    )
    hot_topics_limit: int = _whole("HOT_TOPICS_LIMIT", 10, 1, 100, "items", "Most items that are taken of each.")
    hot_topics_look_seconds: float = _number(
        "HOT_TOPICS_LOOK_SECONDS", 10, 0, 120, "seconds", "How long after submitting the timer looks at the job."
    )

    # --- fetching and analysis ---------------------------------------------------------------------------------
    fetch_allowed_hosts: str = _text(
        "FETCH_ALLOWED_HOSTS",
        "",
        "Comma-separated `host` or `host:port` that may be fetched although not public; for tests.",
    )
    fetch_timeout_seconds: float = _number(
        "FETCH_TIMEOUT_SECONDS", 10, 0.1, 120, "seconds", "Longest time of one fetch, redirects included."
    )
    fetch_contact: str = _setting(
        Spec(
            "FETCH_CONTACT",
            "an e-mail address or a URL",
            "Whom a site's owner may ask about our visits; part of the User-Agent.",
            _matching(r"[!-'*-~]{3,200}"),
        ),
        "",
    )
    fetch_host_concurrency: int = _whole(
        "FETCH_HOST_CONCURRENCY", 2, 1, 100, "requests", "How many requests one process has under way at one host."
    )
    fetch_host_interval_seconds: float = _number(
        "FETCH_HOST_INTERVAL_SECONDS", 1, 0, 3600, "seconds",
        "Shortest time between two requests to one host; a longer `Crawl-delay` is obeyed.",
    )  # fmt: skip
    fetch_robots_ttl_seconds: float = _number(
        "FETCH_ROBOTS_TTL_SECONDS", 3600, 0, 86400, "seconds", "How long a host's robots.txt is remembered."
    )
    image_max_bytes: int = _whole(
        "IMAGE_MAX_BYTES", 8 * 1024 * 1024, 1024, 2**30, "bytes", "Largest image that is fetched."
    )
    image_max_pixels: int = _whole("IMAGE_MAX_PIXELS", 40_000_000, 1, 2**31, "pixels", "Largest image that is decoded.")
    openai_endpoint: str | None = _url("AZURE_OPENAI_ENDPOINT", "Azure OpenAI resource; unset: built-in analysers.")
    openai_vision_deployment: str | None = _text(
        "AZURE_OPENAI_VISION_DEPLOYMENT", None, "Deployment of the vision model."
    )
    openai_api_key: str | None = _text("AZURE_OPENAI_API_KEY", None, "Key; unset: the identity is used.", secret=True)
    openai_api_version: str = _text("AZURE_OPENAI_API_VERSION", "2024-10-21", "API version.")


def specs() -> dict[str, Spec]:
    """What is known of each setting, by the name of its field."""
    return {each.name: _spec(each) for each in fields(Settings)}


def load(environ: Mapping[str, str]) -> Settings:
    """Read the settings from an environment. A name that is unset, or empty, has its default.

    Raises:
        SettingsError: naming every setting that is wrong, what was expected and what it holds. Secrets are not shown.
    """
    given: dict[str, Any] = {}
    wrong: list[str] = []
    for name, spec in specs().items():
        text = environ.get(spec.name, "").strip()
        if text:
            try:
                given[name] = spec.read(text)
            except ValueError:
                wrong.append(f"{spec.name}: expected {spec.kind}{_found(spec, text)}")
    chosen = _with_host_poison_queue(given)
    wrong += [f"the queue {queue!r} would hold jobs and dead letters" for queue in _queues_of_both(chosen)]
    if chosen.taste_max_backoff_seconds < chosen.taste_base_backoff_seconds:
        wrong.append("TASTE_JOB_MAX_BACKOFF_SECONDS: expected at least TASTE_JOB_BASE_BACKOFF_SECONDS")
    if wrong:
        raise SettingsError("app settings: " + "; ".join(wrong))
    return chosen


@cache
def settings() -> Settings:
    """The settings of this process, read once."""
    return load(os.environ)


def _found(spec: Spec, text: str) -> str:
    """What a setting holds, but for secrets; a connection string may have been put where an address belongs."""
    secret = spec.secret or re.search("(key|sig|secret|password)=", text, re.IGNORECASE)
    return "" if secret else f", found {text!r}"


def _queues_of_both(chosen: Settings) -> list[str]:
    """A job on a queue that a poison trigger reads too would be recorded as dead, now and then, instead of run."""
    jobs = {chosen.queue_high, chosen.queue_normal, chosen.queue_low, chosen.taste_queue}
    return sorted(jobs & {chosen.taste_poison_queue, *(f"{queue}-poison" for queue in jobs)})


def _with_host_poison_queue(given: dict[str, Any]) -> Settings:
    queue = given.get("taste_queue", Settings.taste_queue)
    return Settings(**{"taste_poison_queue": f"{queue}-poison", **given})


def _spec(each: Field[Any]) -> Spec:
    spec: Spec = each.metadata["spec"]
    return spec
