"""The demo of an adventure: three entries played in the terminal, with the app killed while one is made."""

from __future__ import annotations

import asyncio
import itertools
import textwrap
import time

from devtools.demo.client import Json
from devtools.demo.stage import Stage
from devtools.demo.terminal import Story, say

SETTINGS = {
    "STUB_GENERATION": "true",
    "JOBS_LEASE_SECONDS": "5",
    "JOBS_SWEEP_SCHEDULE": "*/5 * * * * *",
    "JOBS_SWEEP_GRACE_SECONDS": "2",
    "DEVHOST_MESSAGE_LEASE_SECONDS": "3",
    "DEVHOST_TIMER_LOCK_SECONDS": "15",
}
"""No service is asked, and leases lapse within seconds, so that what a kill leaves behind is soon taken up again."""
_WANTED = {"user_id": "ann", "language": "fr", "native_language": "en", "level": "A2", "genre": "mystery", "length": 3}
_PATIENCE = 90.0
_WIDTH = 96


async def tell(stage: Stage, story: Story) -> list[str]:
    """Play an adventure to its end, and take another branch; return where to read it."""
    await stage.client.send("PUT", "users/ann", {})
    story.chapter("An adventure in French, for somebody who speaks English (A2)")
    adventure = await stage.client.send("POST", "adventures", _WANTED)
    story.expect("it waits for its first entry", held=adventure["status"] == "awaiting_first_entry")
    first = entry = await _entry(stage, adventure, adventure["entries"][0]["entry_id"])
    _show(entry)
    for number in (2, 3):
        decided = await stage.client.send("POST", f"adventures/{adventure['id']}/decisions", _decision(entry, 0))
        if number == 2:
            await asyncio.to_thread(stage.host.kill)
            say("\n  -- the app is killed (SIGKILL) while the next entry is made, and started again --")
            await asyncio.to_thread(stage.host.start)
        story.chapter(f"Entry {number}: {entry['choices'][0]['text']}")
        entry = await _entry(stage, adventure, decided["id"])
        story.expect("it is complete", held=entry["status"] == "complete")
        _show(entry)
    await _after(stage, story, adventure, first)
    return [f"adventures/{adventure['id']}/read", "dashboard"]


async def _after(stage: Stage, story: Story, adventure: Json, first: Json) -> None:
    story.chapter("What came of it")
    again = await stage.client.send("POST", f"adventures/{adventure['id']}/decisions", _decision(first, 0))
    known = await stage.client.get(f"adventures/{adventure['id']}")
    story.expect(
        "the same decision once more gives the same entry", held=again["id"] == known["entries"][1]["entry_id"]
    )
    story.expect(
        "the adventure is finished, with one entry a decision",
        held=known["status"] == "finished" and len(known["entries"]) == 3,
    )
    other = await stage.client.send("POST", f"adventures/{adventure['id']}/decisions", _decision(first, 1))
    branch = await _entry(stage, adventure, other["id"])
    story.expect(
        "another decision begins a branch", held=branch["id"] not in {each["entry_id"] for each in known["entries"]}
    )
    words = await stage.client.get("users/ann/vocabulary", language="fr")
    say(
        f"  {words['total']} words met; {first['audio']['seconds']:.0f} s of audio in the first entry, {first['audio']['voice']}"
    )


def _decision(entry: Json, choice: int) -> Json:
    return {"entry_id": entry["id"], "choice": choice}


async def _entry(stage: Stage, adventure: Json, entry_id: str) -> Json:
    """An entry, once nothing is at work on it."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        entry = await stage.client.get(f"adventures/{adventure['id']}/entries/{entry_id}")
        if entry["status"] in ("complete", "error") or time.monotonic() > deadline:
            return entry
        await asyncio.sleep(0.2)


def _show(entry: Json) -> None:
    """Print an entry: each sentence with its translation below."""
    say(f"\n  {entry['title']}  ({entry['title_translation']})\n")
    for paragraph in entry["paragraphs"]:
        for sentence in paragraph:
            say(textwrap.fill(sentence["text"], _WIDTH, initial_indent="    ", subsequent_indent="    "))
            say(
                textwrap.fill(str(sentence["translation"]), _WIDTH, initial_indent="      ", subsequent_indent="      ")
            )
        say()
    for number, choice in zip(itertools.count(1), entry["choices"], strict=False):
        say(f"  {number}. {choice['text']}  ({choice['translation']})")
