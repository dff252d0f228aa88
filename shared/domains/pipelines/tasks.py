"""`ContentProcessingTask`: how other systems ask for an execution, by a message on `contentflow-execution-requests`."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

IDENTIFIER = r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,199}$"


class ContentProcessingTask(BaseModel):
    """A task, in the form that it has on the queue; also wrapped, as ContentFlow's own workers write it: `{task_type, payload}`."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    task_id: str = Field(pattern=IDENTIFIER, description="One task, one execution: sent again, it is the same.")
    task_type: Literal["content_processing"] = "content_processing"
    pipeline_id: str = Field(pattern=IDENTIFIER)
    pipeline_name: str | None = Field(None, max_length=200, description="For people.")
    execution_id: str | None = Field(
        None, pattern=IDENTIFIER, description="What the execution is called; unset: the task's id."
    )
    vault_id: str | None = Field(None, pattern=IDENTIFIER)
    content_id: str | dict[str, Any] | None = Field(
        None, description="What the content is called, or its whole identifier."
    )
    content_data: dict[str, Any] | list[Any] | None = Field(None, description="The content item, or its fields.")
    executed_input_executor: str | None = Field(
        None, description="The executor that found the content: it is left out."
    )
    priority: Literal["low", "normal", "high"] = "normal"
    max_retries: int | None = Field(None, ge=0, le=20, description="How often an executor that failed is tried again.")
    timeout_seconds: float | None = None
    retry_count: int = 0
    created_at: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _unwrapped(cls, given: Any) -> Any:
        if isinstance(given, dict) and isinstance(given.get("payload"), dict) and "pipeline_id" not in given:
            return {
                **given["payload"],
                **{key: given[key] for key in ("task_id", "priority") if key in given and key not in given["payload"]},
            }
        return given

    @model_validator(mode="after")
    def _named(self) -> Self:
        if not self.execution_id:
            self.execution_id = self.task_id
        return self

    @property
    def execution(self) -> str:
        """What the execution is called."""
        return self.execution_id or self.task_id
