"""What counts as the same item."""

from __future__ import annotations

from shared.domains.collect.distinct import distinct
from shared.domains.collect.model import Item


def item(id: str, url: str | None = None, title: str = "", text: str = "") -> Item:
    return Item(id, title or id, url, "rss", "t", text=text)


def ids(*items: Item, trust_ids: bool = False) -> list[str]:
    return [one.id for one in distinct(items, trust_ids=trust_ids)]


def test_one_address_is_one_item_and_the_first_stays() -> None:
    assert ids(item("a", "https://site.example/1"), item("b", "http://www.site.example/1/")) == ["a"]


def test_one_content_is_one_item_under_whatever_address() -> None:
    same = {"title": "A  Title", "text": "Some Text\nhere"}
    first, second = (
        item("a", "https://one.example/1", **same),
        item("b", "https://two.example/2", "a title", "some text here"),
    )
    assert ids(first, second) == ["a"]
    assert ids(first, item("c", None, "a title", "another text")) == ["a", "c"]


def test_items_without_text_are_not_alike_for_want_of_it() -> None:
    assert ids(
        item("a", "https://one.example/1", "Daily thread"), item("b", "https://two.example/2", "Daily thread")
    ) == ["a", "b"]
    assert ids(item("a"), item("b")) == ["a", "b"]


def test_entries_of_a_feed_may_share_a_page() -> None:
    page = "https://site.example/podcast"
    episodes = [item("1", page, "One"), item("2", page, "Two"), item("2", page, "Two again"), item("3", page, "one")]
    assert ids(*episodes, trust_ids=True) == ["1", "2"]
    assert ids(*episodes) == ["1"]


def test_a_front_page_is_nobody_s_address() -> None:
    assert ids(item("1", "https://site.example/"), item("2", "https://site.example/")) == ["1", "2"]


def test_many_entries_of_one_page_take_no_time() -> None:
    many = [item(str(n), "https://site.example/p", f"Title {n}", f"Text {n}") for n in range(20_000)]
    assert len(distinct(many, trust_ids=True)) == 20_000
