"""Handing on: the executor that does nothing, which pipelines end with or route by."""

from __future__ import annotations

from typing import ClassVar

from shared.domains.pipelines.content import Content
from shared.domains.pipelines.executing import Common, Context, executor


class PassThroughSettings(Common):
    """The settings that every executor has."""

    unused: ClassVar[frozenset[str]] = frozenset(
        {"operation", "source", "destination", "debug", "batch_size", "split_by", "aggregation_strategy"}
    )


@executor("pass_through", settings=PassThroughSettings, category="control", example={}, also=("pass_through_executor",))
async def pass_through(item: Content, settings: PassThroughSettings, ctx: Context) -> Content:  # noqa: ARG001 - the shape of all
    """Hand items on as they are."""
    return item
