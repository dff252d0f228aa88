"""Settings of the site."""

from __future__ import annotations

from dataclasses import dataclass

from shared.settings.spec import Section, Spec, matching, number, setting, text, url, whole


def _yes(text: str) -> bool:
    return matching("true|false")(text.strip().lower()) == "true"


@dataclass(frozen=True, eq=False, repr=False)
class SiteSettings(Section):
    """Settings of the site."""

    title: str = text("SITE_TITLE", "Nightshift Daily", "What the site is called.")
    description: str = text(
        "SITE_DESCRIPTION",
        "What is being read and talked about, gathered overnight, with its sources.",
        "The site in a sentence: below its title, and in its feeds.",
    )
    about: str = text("SITE_ABOUT", "", "More words, in Markdown, for the page about the site.")
    address: str = url(
        "SITE_URL", "Where readers find the site: feeds and the sitemap need whole addresses.", "http://localhost:7071/api/site/"
    )  # fmt: skip
    items: int = whole("SITE_ITEMS", 500, 1, 5000, "items", "Most items that an edition shows, the newest.")
    min_items: int = whole(
        "SITE_MIN_ITEMS", 1, 0, 1000, "items",
        "A collection is published only if at least so many of its items were enriched.",
    )  # fmt: skip
    topic_min_items: int = whole(
        "SITE_TOPIC_MIN_ITEMS", 2, 1, 100, "items", "A topic has a page from so many items on."
    )
    debounce_seconds: float = number(
        "SITE_DEBOUNCE_SECONDS", 60, 0, 3600, "seconds",
        "How long a publication waits for other collections, so that one edition shows them all.",
    )  # fmt: skip
    keep_editions: int = whole(
        "SITE_KEEP_EDITIONS", 10, 2, 100, "editions", "So many editions are kept, to go back to."
    )
    keep_days: int = whole("SITE_KEEP_DAYS", 90, 1, 3650, "days", "How long an item is kept after it changed last.")
    read_pages: bool = setting(
        Spec(
            "SITE_READ_PAGES",
            "true or false",
            "Whether the page behind an item is read, where the item itself says little.",
            _yes,
        ),
        True,
    )
    chat_deployment: str | None = text(
        "SITE_OPENAI_DEPLOYMENT", None, "Deployment of the chat model that writes summaries; unset: they are extracts."
    )
    web_container: str | None = setting(
        Spec(
            "SITE_WEB_CONTAINER",
            "`$web`, or 3 to 63 lower-case letters, digits and single hyphens",
            "Container into which each edition is copied, to be served as a static website; unset: the app alone serves it.",
            matching(r"\$web|(?=.{3,63}$)[a-z0-9](-?[a-z0-9])*"),
        ),
        None,
    )
