"""What producers of tasks import, by the names and in the form of ContentFlow's worker.

    from contentflow_worker import TaskQueueClient, ContentProcessingTask

    queue_client = TaskQueueClient(queue_url="https://your-storage.queue.core.windows.net", queue_name="contentflow-execution-requests")
    queue_client.send_content_processing_task(ContentProcessingTask(task_id="task_123", pipeline_id="pipeline_xyz", content_data={"text": "..."}))

A program that sends tasks needs this file, `shared/domains/pipelines/tasks.py`, pydantic, azure-storage-queue and azure-identity. Any other
way of putting the same JSON on the queue will do, too.
"""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from shared.domains.pipelines.tasks import ContentProcessingTask

if TYPE_CHECKING:
    from azure.storage.queue import QueueClient

__all__ = ["ContentProcessingTask", "TaskQueueClient"]


class TaskQueueClient:
    """Sends tasks to the queue of a storage account."""

    def __init__(
        self,
        queue_url: str | None = None,
        queue_name: str = "contentflow-execution-requests",
        credential: Any = None,
        connection_string: str | None = None,
    ) -> None:
        """Nothing is sent yet.

        Args:
            queue_url: the account's queue service, `https://ACCOUNT.queue.core.windows.net`.
            queue_name: the queue; made where it is missing.
            credential: what the SDK takes for one; None: the identity of the machine, or of who is signed in.
            connection_string: in place of both, for an emulator.

        Raises:
            ValueError: neither an address nor a connection string is given.
        """
        from azure.storage.queue import QueueClient, TextBase64EncodePolicy

        encode = TextBase64EncodePolicy()
        if connection_string:
            self._client: QueueClient = QueueClient.from_connection_string(
                connection_string, queue_name, message_encode_policy=encode
            )
        elif queue_url:
            self._client = QueueClient(queue_url, queue_name, credential or _identity(), message_encode_policy=encode)
        else:
            raise ValueError("give the queue_url, or a connection_string")

    def send_content_processing_task(self, task: ContentProcessingTask) -> str:
        """Send a task; the same task sent twice is one execution.

        Returns:
            The id of its message.

        Raises:
            azure.core.exceptions.AzureError: it was not sent; sending it again is safe.
            ValueError: it is larger than a message can be (64 KiB as sent): leave the content in storage, and send where it is.
        """
        from azure.core.exceptions import ResourceNotFoundError

        text = task.model_dump_json(exclude_none=True)
        if len(text.encode()) > 48 * 1024:
            raise ValueError(
                f"the task has {len(text.encode()):,} bytes, and a message takes 49,152: send where the content is"
            )
        try:
            return str(self._client.send_message(text, time_to_live=-1)["id"])
        except ResourceNotFoundError:
            self._client.create_queue()
            return str(self._client.send_message(text, time_to_live=-1)["id"])

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _identity() -> Any:
    from azure.identity import DefaultAzureCredential

    return DefaultAzureCredential()
