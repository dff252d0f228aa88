"""The page of a digest: what others wrote stays text, and the policy allows what the page does."""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from shared.domains.digests.compose import Occasion, compose
from shared.domains.digests.model import Candidate, Mood, Reader, web_url
from shared.domains.digests.page import policy_of, render
from support.examples import examples

UNTIL = datetime(2026, 11, 23, 9, tzinfo=UTC)
EVIL = '"><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7 * 7 }}{% raw %}'


def made(title: str = "A shirt", name: str | None = None, days: int = 7, **changes: Any) -> dict[str, Any]:
    changes.setdefault("url", "https://shop.example/1?a=1&b=2")
    changes.setdefault("image_url", "https://shop.example/1.jpg")
    item = Candidate(item_id="i1", title=title, source_id="s1", source="Shop", first_seen=UNTIL, **changes)
    mood = Mood("coastal", "Coastal", "Salt air.", 1.0, {"colour": ("navy", "white")})
    occasion = Occasion("ann", "2026-W48", UNTIL - timedelta(days=days), UNTIL, name, "Europe/Berlin")
    return compose(occasion, [item], [mood], Reader(), 10)


def test_what_others_wrote_stays_text() -> None:
    page = html.fromstring(render(made(EVIL, EVIL, text=EVIL, price=EVIL)))
    assert page.xpath("//script|//iframe|//@onerror|//@onload|//form") == []
    assert page.xpath("//article//h3//text()") == [EVIL]
    assert len(page.xpath("//img")) == 1


@examples(25)
@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=30))
def test_whatever_others_wrote_the_page_has_one_find_and_one_style(title: str, text: str, url: str) -> None:
    page = render(made(title, text=text, url=url))
    assert page.count("<article>") == page.count("<style>") == 1
    assert "<script" not in page.replace("&lt;", "")


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "file:///etc/passwd", "//evil.example/x", "https:", "vbscript:x", "https://shop.example@evil.example/",
     "http://[", " javascript:alert(1)", "", None],
)  # fmt: skip
def test_only_addresses_of_the_web_become_links_and_pictures(url: str | None) -> None:
    assert web_url(url) is None
    page = html.fromstring(render(made(url=url, image_url=url)))
    assert page.xpath("//a/@href|//img/@src") == []
    assert len(page.xpath("//article//*[name()='svg']")) == 1, "something stands where the picture is missing"


def test_links_and_pictures_are_as_they_should_be() -> None:
    page = html.fromstring(render(made()))
    (link,), (image,) = page.xpath("//article//a"), page.xpath("//img")
    assert (link.get("href"), link.get("rel")) == ("https://shop.example/1?a=1&b=2", "noopener noreferrer nofollow")
    assert dict(image.attrib).items() >= {"loading": "lazy", "width": "800", "height": "600"}.items()
    assert image.get("alt").startswith("A shirt")


def test_the_policy_allows_the_pages_own_style_and_nothing_that_runs() -> None:
    page = render(made())
    style = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style[0].encode()).digest()).decode()
    (told,) = html.fromstring(page).xpath("//meta[@http-equiv]/@content")
    assert f"style-src 'sha256-{digest}'" in told
    assert told.startswith("default-src 'none'")
    assert policy_of(page) == f"{told}; frame-ancestors 'none'"
    assert " style=" not in page, "the policy forbids it"


def test_moments_are_told_in_the_users_time_zone() -> None:
    assert "Made on Monday, 23 November 2026, 10:00 (Europe/Berlin)" in render(made())


@pytest.mark.parametrize(
    ("days", "period"),
    [
        (7, "16 \u2013 23 November 2026"),
        (30, "24 October \u2013 23 November 2026"),
        (400, "19 October 2025 \u2013 23 November 2026"),
    ],
)
def test_the_period_says_month_and_year_once(days: int, period: str) -> None:
    assert period in render(made(days=days))


@pytest.mark.parametrize(("name", "headline"), [(None, "One find for you"), ("Zoë & Co", "One find for Zoë &amp; Co")])
def test_the_headline_counts_and_greets(name: str | None, headline: str) -> None:
    assert f'<h1 dir="auto">{headline}</h1>' in render(made(name=name))
