"""The chain from collection to a published site."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from shared.domains.collect.public import CollectJob, collect_content
from shared.domains.site.kinds import PublishSite, enrich_item, publish_site
from shared.workflows import Flow, at_least, workflow


def items_of(collected: dict[str, Any]) -> Iterable[dict[str, Any]]:
    """What is to be enriched of what a collection wrote, as the result of its job tells it."""
    for topic in collected["results"]:
        for number in range(topic["topics_count"]):
            yield {"blob_name": topic["blob_name"], "number": number}


@workflow("content-site", payload=CollectJob)
def content_site(flow: Flow[CollectJob]) -> None:
    """Collect, enrich each item, publish. An item that fails holds nothing up; how many have to succeed is `SITE_MIN_ITEMS`."""
    collected = flow.step("collect", collect_content, lambda run: run.payload)
    enriched = flow.each("enrich", enrich_item, over=collected, items=items_of, width=8, on_failure=at_least(0))
    flow.step(
        "publish", publish_site, lambda run: PublishSite(succeeded=len(run.result(enriched))), after=enriched
    )  # fmt: skip
