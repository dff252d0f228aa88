"""The demo of pipelines: files in a container are found by a crawl, and go through a pipeline from YAML, drawn as it runs."""

from __future__ import annotations

import asyncio
import csv
import json
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import aiohttp

from devtools.demo.client import FINAL, Client, Json
from devtools.demo.stage import Stage
from devtools.demo.terminal import Story, say
from devtools.operator.workflow import coloured, drawn

_IN, _OUT = "demo-content", "demo-search-ready"
_PATIENCE = 240.0
_TEXT = f"""
pipeline:
  name: search-ready
  description: Files of several formats become chunks, each with what it is about
  executors:
    - id: find
      type: azure_blob_input
      settings: {{blob_container_name: {_IN}, polling_interval_seconds: 5}}
    - {{id: get, type: content_retriever}}
    - {{id: pdf, type: pdf_extractor, settings: {{output_field: read}}}}
    - {{id: word, type: word_extractor, settings: {{output_field: read}}}}
    - {{id: chunk, type: recursive_text_chunker, settings: {{input_field: read.text, chunk_size: 600, chunk_overlap: 80}}}}
    - {{id: keywords, type: keyword_extractor, settings: {{input_field: read.text, max_keywords: 5}}}}
    - id: out
      type: azure_blob_output
      settings: {{container_name: {_OUT}, path_template: "", filename_template: "{{id.filename}}.json"}}
  edges:
    - {{from: find, to: get}}
    - from: get
      to:
        - {{target: pdf, condition: "file_type == 'pdf'"}}
        - {{target: word, condition: "file_type == 'docx'"}}
    - {{from: [pdf, word], to: chunk, type: join}}
    - {{from: chunk, to: keywords}}
    - {{from: keywords, to: out}}
"""


async def tell(stage: Stage, story: Story, folder: Path) -> None:
    """Put files into a container, have them found, watch one, list what came out."""
    files = _chosen(folder)
    story.chapter("A pipeline is written in YAML, and a vault feeds it from a container")
    checked = await stage.client.send(
        "POST", "pipelines/validate", {"text": _TEXT.replace("pdf_extractor", "pdf_extracter")}
    )
    say(f"  with a slip in it:  {checked['lines'][0]}")
    made = await stage.client.send("POST", "pipelines", {"id": "search-ready", "text": _TEXT})
    story.expect("the file as it should be is taken", held=made["version"] == 1 and not made["lacks"])
    await _put(stage, files[:-1])
    await stage.client.send("POST", "vaults", {"id": "demo", "name": "Demo", "pipeline_id": made["id"]})
    story.chapter(f"A crawl finds the {len(files) - 1} files, and each is an execution: the first, drawn as it runs")
    await _draw(stage.client, (await _executions(stage.client, 1))[0])
    story.chapter("One more file is put into the container")
    await _put(stage, files[-1:])
    executions = await _executions(stage.client, len(files), ended=True)
    states = Counter(each["status"] for each in executions)
    story.expect(f"each of the {len(files)} files was executed once", held=len(executions) == len(files))
    story.expect("every execution completed", held=states == {"completed": len(files)})
    story.chapter("What came out is ready for a search index")
    names = [line async for line in _written(stage)]
    for line in names:
        say(line)
    story.expect("a document for each file", held=len(names) == len(files))


def _chosen(folder: Path) -> list[Path]:
    """Some PDF and Word files that can be read."""
    with (folder / "documents" / "INDEX.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if int(row["bytes"]) <= 2**20 and row["expected_path"]]
    sound = [row for row in rows if not row["password"] and not row["pdf_status"].startswith(("broken", "encrypted"))]
    sound = [row for row in sound if "ocr" not in row["path"]]  # pictures of pages, which take a service to be read
    found = [[folder / row["path"] for row in sound if row["ext"] == ending][:3] for ending in (".pdf", ".docx")]
    return [path for paths in found for path in paths if path.is_file()]


async def _put(stage: Stage, files: list[Path]) -> None:
    from azure.core.exceptions import ResourceExistsError
    from azure.storage.blob.aio import ContainerClient

    async with ContainerClient.from_connection_string(stage.storage, _IN) as container:
        with suppress(ResourceExistsError):
            await container.create_container()
        for path in files:
            await container.upload_blob(path.name, await asyncio.to_thread(path.read_bytes))


async def _executions(client: Client, least: int, *, ended: bool = False) -> list[Json]:
    """The executions of the vault, the first begun first, once there are so many, and all have ended if that is asked for."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        found = (await client.get("vaults/demo/executions", limit="200"))["items"]
        there = len(found) >= least and (not ended or all(each["status"] in FINAL for each in found))
        if there or time.monotonic() > deadline:
            return list(reversed(found))
        await asyncio.sleep(0.3)


async def _draw(client: Client, execution: Json) -> None:
    """Draw an execution's graph whenever it has changed, until it has ended."""
    say(f"  {execution['filename']}")
    shown: list[str] = []
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        job, lines = None, []
        with suppress(aiohttp.ClientResponseError):  # its document is there before its job, and that before its graph
            job = await client.job(execution["job_id"])
            lines = drawn(await client.get(f"jobs/{execution['job_id']}/graph"), colour=coloured())
        if lines and lines != shown:
            shown = lines
            say("\n".join(f"    {line}" for line in lines) + "\n")
        if job and job["status"] in FINAL:
            return
        await asyncio.sleep(0.2)


async def _written(stage: Stage) -> AsyncIterator[str]:
    """What is in the container of what came out, a line each."""
    from azure.storage.blob.aio import ContainerClient

    async with ContainerClient.from_connection_string(stage.storage, _OUT) as container:
        async for blob in container.list_blobs():
            content = json.loads(await (await container.download_blob(blob.name)).readall())
            data = content.get("data", content)
            words = [_word(each) for each in _list(data.get("keywords"))]
            yield f"  {blob.name[:44]:44} {len(data.get('chunks', [])):3} chunks   {', '.join(words[:5])}"


def _list(value: object) -> list[object]:
    if isinstance(value, dict):
        return next((each for each in value.values() if isinstance(each, list)), [])
    return value if isinstance(value, list) else []


def _word(keyword: object) -> str:
    """A keyword's text, with or without a score beside it."""
    found = keyword.values() if isinstance(keyword, dict) else [keyword]
    return next((each for each in found if isinstance(each, str)), "")
