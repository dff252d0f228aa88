"""The demo of documents: real files uploaded and read, one of them opened by its password."""

from __future__ import annotations

import asyncio
import csv
import time
from pathlib import Path

from devtools.demo.client import Client, Json
from devtools.demo.stage import Stage
from devtools.demo.terminal import Story, say
from devtools.environment import TroubleError

_INDEX = Path("documents") / "INDEX.csv"
_ENDINGS = (".pdf", ".docx", ".pptx", ".xlsx", ".odt", ".html", ".md", ".csv", ".eml", ".rtf", ".epub")
_OF_EACH = 2
_LARGEST = 2 * 2**20
_PATIENCE = 240.0


def find(folder: Path) -> Path:
    """The folder of documents; TroubleError where there is none."""
    if not (folder / _INDEX).is_file():
        raise TroubleError(f"no {_INDEX} in {folder}")
    return folder


def chosen(folder: Path) -> tuple[list[Path], Path, str]:
    """Some files of each format, one broken among them; one that is protected, and its password."""
    with (folder / _INDEX).open(encoding="utf-8", newline="") as file:
        rows = [
            row for row in csv.DictReader(file) if (folder / row["path"]).is_file() and int(row["bytes"]) <= _LARGEST
        ]
    known = [(folder / row["path"], row["password"]) for row in rows if row["password"]]
    plain = [row for row in rows if not row["pdf_status"].startswith(("broken", "encrypted")) and row["expected_path"]]
    files = [
        folder / row["path"] for ending in _ENDINGS for row in [row for row in plain if row["ext"] == ending][:_OF_EACH]
    ]
    files += [folder / row["path"] for row in rows if row["pdf_status"].startswith("broken:PdfStream")][:1]
    if not known or not files:
        raise TroubleError(f"no documents in {folder}, or none whose password is known")
    return files, *known[0]


async def tell(stage: Stage, story: Story, folder: Path) -> None:
    """Upload, read, open, upload again."""
    files, locked, password = chosen(folder)
    story.chapter(f"{len(files) + 1} documents are uploaded: each answer says pending")
    tickets = [await _upload(stage.client, path) for path in (*files, locked)]
    story.expect("every one is pending at once", held=all(each["status"] == "pending" for each in tickets))
    story.chapter("Each is read in the sandbox, and ends in one of seven ways")
    documents = await _ended(stage.client, [each["document_id"] for each in tickets])
    for each in documents:
        say(_line(each))
    outcomes = {each["outcome"] for each in documents}
    story.expect(
        "one broken file and one locked file stopped no other", held={"text", "broken", "encrypted"} <= outcomes
    )
    await _mend(stage.client, story, documents[-1], password)
    story.chapter("The same file once more")
    again = await _upload(stage.client, files[0])
    story.expect(
        f"{files[0].name} is the document that it was",
        held=again["duplicate"] and again["document_id"] == tickets[0]["document_id"],
    )
    say(
        "  the queue: "
        + ", ".join(f"{count} {name}" for name, count in (await stage.client.get("documents/queue")).items())
    )


async def _mend(client: Client, story: Story, locked: Json, password: str) -> None:
    story.chapter(f"{locked['name']} is opened by its password")
    await client.send("POST", f"documents/{locked['document_id']}/reprocess", {"password": password})
    (opened,) = await _ended(client, [locked["document_id"]])
    say(_line(opened))
    story.expect("it has its text now", held=opened["outcome"] == "text")
    chunks = await client.get(f"documents/{locked['document_id']}/chunks", size="200", overlap="30")
    for chunk in chunks["items"][:3]:
        say(f"    chunk {chunk['number']}, page {chunk['page']}: {' '.join(chunk['text'].split())[:90]}")


async def _upload(client: Client, path: Path) -> Json:
    return await client.upload(path.name, await asyncio.to_thread(path.read_bytes))


async def _ended(client: Client, ids: list[str]) -> list[Json]:
    """The documents once each is completed or failed, or time is up."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        found = [await client.get(f"documents/{each}") for each in ids]
        if all(each["status"] in ("completed", "failed") for each in found) or time.monotonic() > deadline:
            return found
        await asyncio.sleep(0.5)


def _line(one: Json) -> str:
    told = (
        f"{one['pages']} p., {one['characters']} characters, {one['language'] or '?'}"
        if one["outcome"] == "text"
        else one["words"]
    )
    return f"  {one['name'][:36]:36} {one['outcome'] or one['status']:10} {one['format']:9} {told}"
