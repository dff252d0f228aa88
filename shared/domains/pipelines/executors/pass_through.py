"""An executor that does nothing, which is of use in drawings and trials."""

from __future__ import annotations

from typing import ClassVar

from shared.domains.pipelines.content import Content
from shared.domains.pipelines.executing import ExecutorSettings, Run, list_executor


class PassThroughSettings(ExecutorSettings):
    """Settings of `pass_through`: the common ones."""

    ignored: ClassVar[frozenset[str]] = frozenset(
        {"aggregation_strategy", "batch_size", "debug", "destination", "operation", "source", "split_by"}
    )


@list_executor("pass_through", settings=PassThroughSettings, category="control", aliases=("pass_through_executor",))
async def pass_through(items: list[Content], settings: PassThroughSettings, run: Run) -> list[Content]:  # noqa: ARG001 - it does nothing
    """Let items through as they are."""
    return items
