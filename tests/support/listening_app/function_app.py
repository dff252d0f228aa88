"""An app whose queue functions ask the test over HTTP, as Microsoft's `queue-listener` does: LISTEN_QUEUES, LISTEN_URL."""

import base64
import os

import aiohttp
import azure.functions as func

app = func.FunctionApp()


def listen(queue: str, number: int, *, binary: bool) -> None:
    data_type = {"data_type": func.DataType.BINARY} if binary else {}

    @app.function_name(f"Queue{number}")
    @app.queue_trigger("message", queue, "AzureWebJobsStorage", **data_type)
    async def deliver(message: func.QueueMessage) -> None:
        metadata = {
            "Id": message.id,
            "DequeueCount": message.dequeue_count,
            "PopReceipt": message.pop_receipt,
            "InsertionTime": message.insertion_time.isoformat() if message.insertion_time else None,
            "ExpirationTime": message.expiration_time.isoformat() if message.expiration_time else None,
            "NextVisibleTime": message.time_next_visible.isoformat() if message.time_next_visible else None,
        }
        body = base64.b64encode(message.get_body()).decode()
        content = {"queue": queue, "body": body, "trigger_metadata": metadata}
        timeout = aiohttp.ClientTimeout(total=None)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(f"{os.environ['LISTEN_URL']}/{queue}", json=content) as response,
        ):
            response.raise_for_status()


for position, name in enumerate(os.environ["LISTEN_QUEUES"].split(",")):
    listen(name.removesuffix(":binary"), position, binary=name.endswith(":binary"))
