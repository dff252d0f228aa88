"""The demo's chapter about workflows: one is drawn as it runs, fails at a step, and is taken up once that is mended."""

from __future__ import annotations

import asyncio
import sys
import time

from devtools.demo.client import FINAL, Json
from devtools.demo.stage import Stage
from devtools.demo.terminal import Story, say
from devtools.operator.workflow import Drawing, drawn

_WORKFLOW = "content-site"
_FEED = "winter"
_PATIENCE = 120.0


async def tell(stage: Stage, story: Story) -> None:
    """Run the chain from collection to a published site on a feed that is not there yet; then it is."""
    story.chapter("A workflow, drawn as it runs: it fails at a step, and goes on from there once that is mended")
    payload = {"source": "rss", "topics": [stage.shop.feed_of(_FEED)], "limit": 10}
    run_id = (await stage.client.send("POST", f"workflows/{_WORKFLOW}", {"payload": payload}))["job_id"]
    graph = await _watch(stage, run_id)
    states = _states(graph)
    story.expect(
        "collecting failed, and what needs it was skipped",
        held=list(states.values()) == ["failed", "skipped", "skipped"],
    )
    stage.shop.shut.clear()
    say("  -- the shop opens that feed; the failed step is replayed --")
    (failed,) = [step for step in graph["steps"] if step["state"] == "failed"]
    await stage.client.send("POST", f"jobs/{failed['job_id']}/retry", {})
    graph = await _watch(stage, run_id, "failed")
    states = _states(graph)
    story.expect("the same run went on from there, and completed", held=set(states.values()) == {"completed"})


async def _watch(stage: Stage, run_id: str, before: str = "") -> Json:
    """Draw a run until it has ended otherwise than it had, or patience ends."""
    drawing, deadline = Drawing(), time.monotonic() + _PATIENCE
    while True:
        graph = await stage.client.get(f"jobs/{run_id}/graph")
        drawing.show(graph)
        if (graph["status"] in FINAL and graph["status"] != before) or time.monotonic() > deadline:
            if not sys.stdout.isatty():
                say("\n".join(drawn(graph, colour=False)))
            return graph
        await asyncio.sleep(0.2)


def _states(graph: Json) -> dict[str, str]:
    return {step["name"]: step["state"] for step in graph["steps"]}
