"""Text without markup."""

from __future__ import annotations

import pytest

from shared.fetch.text import without_markdown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("**[Album](http://imgur.com/a/i)** I am *quite* sure", "Album I am quite sure"),
        ("see ![a coat](https://x.example/c.png) and `this`", "see a coat and this"),
        ("> quoted\n# Head\n* one\n- two", "quoted\nHead\none\ntwo"),
        ("snake_case 3*4 and 2 * 3 stay, _this_ goes", "snake_case 3*4 and 2 * 3 stay, this goes"),
        ("[not a link] (here)", "[not a link] (here)"),
        ("", ""),
    ],
)
def test_markdown_is_read_as_its_words(text: str, expected: str) -> None:
    assert without_markdown(text) == expected
