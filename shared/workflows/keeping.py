"""Values of a run: small ones in its record, others in blobs beside it, each known by its hash."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from pydantic import JsonValue
from pydantic_core import from_json, to_json

from shared.jobs.errors import UnreadableError
from shared.ports import AlreadyExistsError, BlobStore
from shared.workflows.record import Items, Kept, Record, Ref, name_of

SMALL = 1024
"""Bytes of a value that stands in the record."""
_PAGE = 16 * 1024
"""Bytes of results that gather in the record before they get a blob of their own."""
_PLAN = 64 * 1024
"""Bytes of items in one blob of a plan, about."""
_REMEMBERED, _LARGE = 64, 256 * 1024


class Keeper:
    """Writes and reads what is kept beside the records of runs. Such blobs are never changed."""

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs
        self._read: dict[str, Any] = {}

    async def keep(self, run_id: str, what: str, value: JsonValue) -> Kept:
        """Keep a value. One storage call where it is not small."""
        data = to_json(value)
        return Kept(value=value) if len(data) <= SMALL else Kept(ref=await self._put(f"jobs/{run_id}/{what}", data))

    async def load(self, kept: Kept | None) -> Any:
        """The value; UnreadableError where its blob is gone."""
        if kept is None:
            return None
        return kept.value if kept.ref is None else await self._get(kept.ref.blob)

    async def plan(self, run_id: str, step: str, items: list[Any]) -> Items:
        """Keep the items of a step, in blobs of a few at a time."""
        data = [to_json(item) for item in items]
        per_page = max(1, int(_PLAN * len(data) / max(1, sum(map(len, data))))) if data else 1
        digest = hashlib.sha256(b"\n".join(data)).hexdigest()[:16]
        name = f"jobs/{run_id}/items-{step}-{digest}"
        for number, start in enumerate(range(0, len(data), per_page)):
            with suppress(AlreadyExistsError):
                await self._blobs.create(
                    f"{name}-{number}.json", b"[" + b",".join(data[start : start + per_page]) + b"]"
                )
        return Items(plan=name, total=len(data), page=per_page)

    async def item(self, items: Items, index: int) -> Any:
        """One item of a plan."""
        number, place = divmod(index, items.page)
        return (await self._get(f"{items.plan}-{number}.json"))[place]

    async def paged(self, run_id: str, step: str, items: Items) -> Items:
        """The items with what has gathered of results in a blob of its own, where it is enough for one."""
        if not items.buffer or sum(len(kept.model_dump_json()) for _, kept in items.buffer) < _PAGE:
            return items
        content = [[index, kept.model_dump(mode="json", exclude_defaults=True)] for index, kept in items.buffer]
        ref = await self._put(f"jobs/{run_id}/results-{step}", to_json(content))
        return items.model_copy(update={"buffer": (), "pages": (*items.pages, ref.blob.rpartition("-")[2])})

    async def results(self, run_id: str, step: str, items: Items) -> list[Any]:
        """The results of the items that completed, in the order of the items."""
        found = dict(items.buffer)
        for page in items.pages:
            content = await self._get(f"jobs/{run_id}/results-{step}-{page}")
            found |= {index: Kept.model_validate(kept) for index, kept in content}
        return [await self.load(found[index]) for index in sorted(found)]

    async def _put(self, name: str, data: bytes) -> Ref:
        digest = hashlib.sha256(data).hexdigest()
        name = f"{name}-{digest[:16]}.json"
        with suppress(AlreadyExistsError):
            await self._blobs.create(name, data)
        return Ref(blob=name, sha256=digest, bytes=len(data))

    async def _get(self, name: str) -> Any:
        """What a blob holds, read once for a while: it never changes."""
        if name not in self._read:
            blob = await self._blobs.read(name)
            if blob is None:
                raise UnreadableError(f"{name} is gone")
            content = from_json(blob.data)
            if len(blob.data) > _LARGE:
                return content
            for old in list(self._read)[: max(0, len(self._read) - _REMEMBERED + 1)]:
                del self._read[old]
            self._read[name] = content
        return self._read[name]


def fingerprint(payload: Any) -> str:
    """What a payload is known by."""
    return hashlib.sha256(to_json(payload)).hexdigest()


def values(items: Iterable[Any] | None) -> list[Any]:
    """Items as they are kept; TypeError for what is no list of JSON."""
    if items is None:
        return []
    if isinstance(items, str | bytes | dict):
        raise TypeError(f"the items of a step are a list, not {type(items).__name__}")
    found: list[Any] = from_json(to_json(list(items)))
    return found


async def result_of(blobs: BlobStore, run_id: str, step: str) -> Any:
    """What a step of a run came to; None where it did not complete, or where there is no such run. One storage call, or two."""
    found = await blobs.read(name_of(run_id))
    if found is None:
        return None
    state = Record.model_validate_json(found.data).steps.get(step)
    if state is None:
        return None
    keeper = Keeper(blobs)
    return await (keeper.results(run_id, step, state.items) if state.items else keeper.load(state.result))
