"""Pictures that load late: one reader, for pages and for the markup in feeds."""

from __future__ import annotations

from html import escape

import pytest

from shared.domains.collect.feeds import parse_feed
from shared.domains.sources.brands import parse_brand_page
from shared.domains.sources.model import Selectors
from shared.fetch import Fetched
from shared.fetch.pictures import picture

REAL = "https://cdn.example/real.jpg"
SIZES = ", ".join(f"https://cdn.example/i-{width}.jpg {width}w" for width in range(100, 2000, 100))


def in_a_feed(markup: str) -> str | None:
    item = (
        f"<item><title>x</title><link>https://shop.example/1</link><description>{escape(markup)}</description></item>"
    )
    body = f"<rss version='2.0'><channel>{item}</channel></rss>".encode()
    return parse_feed(Fetched(body, "application/xml", "https://shop.example/feed"), "t").items[0].image


def on_a_page(markup: str) -> str | None:
    body = f'<ul><li><h3>Coat</h3><a href="/p">{markup}</a></li></ul>'.encode()
    (found,) = parse_brand_page(Fetched(body, "text/html", "https://shop.example/"), Selectors(item="li"), None)
    return found.image_url


@pytest.mark.parametrize("read", [in_a_feed, on_a_page])
@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        (f'<img src="data:image/gif;base64,R0lGOD" data-src="{REAL}">', REAL),
        (f"<img src={REAL}>", REAL),
        (f'<img src="/blank.gif" class="lazy"><noscript><img src="{REAL}"></noscript>', REAL),
        (f'<img src="/img/1x1-transparent.gif"><img src="{REAL}">', REAL),
        (f'<img src="https://stats.example/hit?x=1" width="1" height="1"><img src="{REAL}">', REAL),
        (f'<img srcset="{SIZES}" src="{REAL}">', "https://cdn.example/i-1900.jpg"),
        (f'<picture><source srcset="{REAL} 2x, /small.jpg 1x"><img src="/small.jpg"></picture>', REAL),
        ('<img src="//cdn.example/c_300x.jpg" data-src="//cdn.example/c_{width}x.jpg" data-widths="[180,360]">',
         "https://cdn.example/c_360x.jpg"),
        ('<img data-src="//cdn.example/c_{width}x.jpg">', "https://cdn.example/c_720x.jpg"),
        ('<img src="/pixel-art/dress.jpg">', "https://shop.example/pixel-art/dress.jpg"),
        (f"<div style=\"background-image: url('{REAL}')\"></div>", REAL),
    ],
)  # fmt: skip
def test_the_picture_that_people_see(read: object, markup: str, expected: str) -> None:
    assert callable(read)
    assert read(markup) == expected


@pytest.mark.parametrize(
    "written", ["", "data:image/gif;base64,R0", "about:blank", "#", "/spacer.gif", "/a/loading.svg?x"]
)
def test_a_placeholder_is_no_picture(written: str) -> None:
    assert picture(written) == ""
