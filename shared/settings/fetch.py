"""Settings of fetching, image reading and Azure OpenAI."""

from __future__ import annotations

from dataclasses import dataclass

from shared.settings.spec import Section, Spec, matching, number, setting, text, url, whole


@dataclass(frozen=True, eq=False, repr=False)
class FetchSettings(Section):
    """Settings of fetching, image reading and Azure OpenAI."""

    fetch_allowed_hosts: str = text(
        "FETCH_ALLOWED_HOSTS",
        "",
        "Comma-separated `host` or `host:port` that may be fetched although not public; for tests.",
    )
    fetch_timeout_seconds: float = number(
        "FETCH_TIMEOUT_SECONDS", 10, 0.1, 120, "seconds", "Longest time of one fetch, redirects included."
    )
    fetch_contact: str = setting(
        Spec(
            "FETCH_CONTACT",
            "an e-mail address or a URL",
            "Whom a site's owner may ask about our visits; part of the User-Agent.",
            matching(r"[!-'*-~]{3,200}"),
        ),
        "",
    )
    fetch_host_concurrency: int = whole(
        "FETCH_HOST_CONCURRENCY", 2, 1, 100, "requests", "How many requests one process has under way at one host."
    )
    fetch_host_interval_seconds: float = number(
        "FETCH_HOST_INTERVAL_SECONDS", 1, 0, 3600, "seconds",
        "Shortest time between two requests to one host; a longer `Crawl-delay` is obeyed.",
    )  # fmt: skip
    fetch_robots_ttl_seconds: float = number(
        "FETCH_ROBOTS_TTL_SECONDS", 3600, 0, 86400, "seconds", "How long a host's robots.txt is remembered."
    )
    sandbox_processes: int = whole(
        "SANDBOX_PROCESSES", 2, 1, 64, "processes", "Most child processes that read what strangers wrote."
    )
    sandbox_seconds: int = whole(
        "SANDBOX_SECONDS", 10, 1, 300, "seconds", "CPU time that a feed, page, map or picture may take to be read."
    )
    sandbox_memory_mb: int = whole(
        "SANDBOX_MEMORY_MB", 512, 256, 65536, "MiB", "Address space of each of these processes; it is killed beyond."
    )
    image_max_bytes: int = whole(
        "IMAGE_MAX_BYTES", 8 * 1024 * 1024, 1024, 2**30, "bytes", "Largest image that is fetched."
    )
    image_max_pixels: int = whole("IMAGE_MAX_PIXELS", 40_000_000, 1, 2**31, "pixels", "Largest image that is decoded.")
    openai_endpoint: str | None = url("AZURE_OPENAI_ENDPOINT", "Azure OpenAI resource; unset: built-in analysers.")
    openai_vision_deployment: str | None = text(
        "AZURE_OPENAI_VISION_DEPLOYMENT", None, "Deployment of the vision model."
    )
    openai_api_key: str | None = text("AZURE_OPENAI_API_KEY", None, "Key; unset: the identity is used.", secret=True)
    openai_api_version: str = text("AZURE_OPENAI_API_VERSION", "2024-10-21", "API version.")
