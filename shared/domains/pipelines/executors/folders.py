"""Content in folders of this machine: those that the operator has listed, and no others."""

from __future__ import annotations

import asyncio
import mimetypes
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pydantic import Field

from shared.domains.pipelines.content import Content, content_id
from shared.domains.pipelines.executing import ContentError, Found, InputSettings, Run, input_executor
from shared.domains.pipelines.executors.forms import Extensions
from shared.domains.pipelines.executors.storage import limit_of, too_large
from shared.domains.pipelines.settings import ExecutorOptions
from shared.settings import Settings


class FolderSettings(InputSettings):
    """Which folder, and which of its files."""

    folder: str = Field(description="Path of the folder, in one of PIPELINE_FOLDERS.", examples=["/data/inbox"])
    recursive: bool = Field(default=True, description="Whether folders in it are looked into.")
    file_extensions: Extensions = Field(
        default=(), description="Suffixes that are taken; none: all.", examples=[[".pdf"]]
    )
    min_size_bytes: int = Field(default=0, ge=0, description="Smallest file that is taken. Unit: bytes.")
    max_size_bytes: int = Field(default=0, ge=0, description="Largest file that is taken; 0: any. Unit: bytes.")


def _needs(settings: FolderSettings, app: Settings) -> Sequence[str]:
    allowed = app.of(ExecutorOptions).folders
    if not allowed:
        return ["folder: PIPELINE_FOLDERS names no folder that pipelines may read"]
    return (
        ()
        if _within(Path(settings.folder), allowed)
        else [f"folder: {settings.folder!r} is in none of PIPELINE_FOLDERS"]
    )


@input_executor(
    "local_folder_input",
    settings=FolderSettings,
    example={"folder": "/data/inbox", "file_extensions": [".pdf", ".docx"]},
    needs=_needs,
)
async def local_folder_input(settings: FolderSettings, run: Run) -> AsyncIterator[Found]:
    """Find files in a folder of the machine.

    For development, and where a share is mounted. Files whose names begin with a dot are left out, and links that lead out of the folders that are allowed. A file that
    is written anew is another item.
    """
    root = _allowed(settings.folder, run)
    for found in await asyncio.to_thread(lambda: list(_files(root, settings, run))):
        yield found


def _files(root: Path, settings: FolderSettings, run: Run) -> Iterator[Found]:
    if not root.is_dir():
        raise ContentError(f"there is no folder {settings.folder!r}")
    for path in sorted(root.rglob("*") if settings.recursive else root.glob("*")):
        inner = path.relative_to(root)
        if any(part.startswith(".") for part in inner.parts) or not path.is_file():
            continue
        if not _within(path, run.settings.of(ExecutorOptions).folders):
            continue
        state = path.stat()
        wanted = not settings.file_extensions or path.suffix.lower() in settings.file_extensions
        large = settings.max_size_bytes and state.st_size > settings.max_size_bytes
        if wanted and not large and state.st_size >= settings.min_size_bytes:
            yield _found(path, inner, state.st_size, datetime.fromtimestamp(state.st_mtime, UTC))


def _found(path: Path, inner: Path, size: int, changed: datetime) -> Found:
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    known = content_id(
        f"local_file:{path}", f"{changed.timestamp()} {size}", source_name="local_folder", source_type="local_file",
        container=str(path)[: -len(str(inner)) - 1], path=str(path), filename=path.name,
        metadata={"size": size, "last_modified": changed.isoformat(), "content_type": kind},
    )  # fmt: skip
    return Found(
        Content(id=known, data={"size": size, "last_modified": changed.isoformat(), "content_type": kind}), changed
    )


async def read_file(run: Run, path: str) -> bytes:
    """The bytes of a file in one of the allowed folders.

    Raises:
        ContentError: it is in none, there is none, or it is larger than is taken.
    """
    place = _allowed(path, run)
    try:
        size = (await asyncio.to_thread(place.stat)).st_size
        if size > limit_of(run):
            raise too_large(run, size)
        return await asyncio.to_thread(place.read_bytes)
    except OSError as error:
        raise ContentError(f"the file cannot be read ({type(error).__name__})") from None


def _allowed(path: str, run: Run) -> Path:
    allowed = run.settings.of(ExecutorOptions).folders
    if not _within(Path(path), allowed):
        raise ContentError(f"{path!r} is in none of the folders that pipelines may read (PIPELINE_FOLDERS)")
    return Path(path).resolve()


def _within(path: Path, folders: Sequence[str]) -> bool:
    """Whether a path, with all its links followed, is in one of some folders."""
    place = path.resolve()
    return path.is_absolute() and any(place.is_relative_to(Path(folder).resolve()) for folder in folders)
