"""The demo's story: jobs that survive a crash, a poisoned message, a job that gives up and is put back."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Awaitable, Callable, Mapping

from devtools.demo.client import FINAL, Json, jobs
from devtools.demo.shop import FEEDS, ITEMS
from devtools.demo.stage import Stage
from devtools.demo.terminal import Board, Story, say, show_profile

_LIKES = {
    "ada": ("midnight-gown", "meadow-dress", "city-blazer"),
    "ben": ("racer-jacket", "loft-sweater", "court-sneakers"),
}
_HELD = frozenset({"city-blazer", "racer-jacket", "loft-sweater", "court-sneakers"})
"""Items whose pictures come slowly: their jobs are the ones that the crash hits."""
_PATIENCE = 90.0
_TASTE_QUEUE = "taste-analysis-jobs"


async def tell(stage: Stage, story: Story) -> None:
    """Tell the whole story."""
    await _crash(stage, story)
    await _collect(stage, story)
    await _poison(stage, story)
    await _give_up(stage, story)
    await _profiles(stage, story)


async def _crash(stage: Stage, story: Story) -> None:
    story.chapter("Feedback in, tickets out; then the app is killed in the middle")
    stage.shop.slow = _HELD
    tickets = {}
    for user_id, likes in _LIKES.items():
        for item_id in likes:
            ticket = await stage.client.feedback(_like(stage, user_id, item_id))
            tickets[ticket["job_id"]] = f"{user_id} likes {item_id}"
    story.expect("six signals, six tickets", held=len(tickets) == 6)
    board = Board(tickets)
    story.expect("work began", held=await _until(lambda: _half_done(stage, board, tickets)))
    await asyncio.to_thread(stage.host.kill)
    say("  -- the app is killed (SIGKILL), four jobs in hand --")
    stage.shop.hurry.set()
    await asyncio.to_thread(stage.host.start)
    say("  -- the app is started again --")
    found = await _watch(stage, tickets)
    story.expect("every ticket completed", held=_all(found, "completed"))
    story.expect("the four jobs in hand were run again", held=sum(job["attempt"] > 1 for job in found) == len(_HELD))


async def _half_done(stage: Stage, board: Board, tickets: Mapping[str, str]) -> bool:
    found = await jobs(stage.client, tickets)
    board.show(found)
    done = sum(job["status"] == "completed" for job in found)
    return stage.shop.asked >= _HELD and done == len(tickets) - len(_HELD)


async def _collect(stage: Stage, story: Story) -> None:
    story.chapter("Content is collected from four feeds, of which one does not exist, beside a taste job")
    ticket = await stage.client.collect([stage.shop.feed_of(name) for name in (*FEEDS, "nowhere")])
    liked = await stage.client.feedback(_like(stage, "ada", "court-sneakers"))
    found = await _watch(stage, {ticket["job_id"]: "collection", liked["job_id"]: "ada likes court-sneakers"})
    story.expect("both completed", held=_all(found, "completed"))
    for topic in found[0].get("results", {}).get("results", []):
        say(f"  {topic['status']:8} {topic['topics_count']:3} items  {topic['blob_name'] or topic['error']}")
    story.expect("three feeds were collected", held=_collected(found[0]) == len(FEEDS))


def _collected(job: Json) -> int:
    return sum(topic["status"] == "success" for topic in job.get("results", {}).get("results", []))


async def _poison(stage: Stage, story: Story) -> None:
    story.chapter("A message that nobody can read is put on the queue")
    await _put(stage.storage, "{ this is no job")
    letters: list[Json] = []

    async def _recorded() -> bool:
        letters[:] = await stage.client.dead_letters(reason="unreadable")
        return bool(letters)

    story.expect("it is in the vault", held=await _until(_recorded))
    for letter in letters:
        say(f"  dead letter {letter['id']}: {letter['reason']} ({letter['error']['message']})")


async def _give_up(stage: Stage, story: Story) -> None:
    story.chapter("A picture server is broken: the job is tried again, gives up, and is put back once that is mended")
    stage.shop.broken.add("storm-coat")
    ticket = await stage.client.feedback(_like(stage, "ada", "storm-coat"))
    names = {ticket["job_id"]: "ada likes storm-coat"}
    found = await _watch(stage, names)
    story.expect("it failed at the third attempt", held=_all(found, "failed") and found[0]["attempt"] == 3)
    letters = await stage.client.dead_letters(job_id=ticket["job_id"])
    story.expect("its dead letter is in the vault", held=len(letters) == 1)
    stage.shop.broken.clear()
    for letter in letters:
        outcome = await stage.client.replay(letter["id"])
        say(f"  replay of {letter['id']} ({letter['error']['message']}): {outcome['outcome']}")
    story.expect("replayed, the same ticket completed", held=_all(await _watch(stage, names), "completed"))


async def _profiles(stage: Stage, story: Story) -> None:
    story.chapter("What the app has learnt")
    for user_id, likes in _LIKES.items():
        profile = await stage.client.profile(user_id)
        show_profile(user_id, profile)
        seen = {each["value"] for each in profile["facets"]["category"]}
        wanted = {ITEMS[item_id]["category"] for item_id in likes}
        story.expect(f"the profile of {user_id} stands on what {user_id} likes", held=wanted <= seen)


def _like(stage: Stage, user_id: str, item_id: str) -> Json:
    picture = stage.shop.picture_of(item_id)
    return {"user_id": user_id, "item_id": item_id, "signal": "up", "image_url": picture, "item": ITEMS[item_id]}


async def _watch(stage: Stage, names: Mapping[str, str]) -> list[Json]:
    """Show jobs until all are final, or patience ends; return them."""
    board = Board(names)
    found: list[Json] = []

    async def _settled() -> bool:
        found[:] = await jobs(stage.client, names)
        board.show(found)
        return all(job["status"] in FINAL for job in found)

    await _until(_settled)
    return found


def _all(found: list[Json], status: str) -> bool:
    return bool(found) and all(job["status"] == status for job in found)


async def _until(question: Callable[[], Awaitable[bool]]) -> bool:
    """Ask until the answer is yes, or patience ends."""
    deadline = time.monotonic() + _PATIENCE
    while not await question():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.2)
    return True


async def _put(storage: str, text: str) -> None:
    """Put a text on the taste queue, Base64 as the host wants it."""
    from azure.storage.queue.aio import QueueClient

    async with QueueClient.from_connection_string(storage, _TASTE_QUEUE) as queue:
        await queue.send_message(base64.b64encode(text.encode()).decode())
