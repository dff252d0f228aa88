"""Answers that take more than a view: audio in parts, and pages of words."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from shared.domains.stories.model import AudioStatus, Entry
from shared.domains.stories.vocabulary import VocabularyStore, Word
from shared.web.answers import Answer, Problem, matches, quoted
from shared.web.requests import unfit

if TYPE_CHECKING:
    from shared.app import App
    from shared.domains.stories.languages import Language
    from shared.domains.stories.views import WordPage
    from shared.web.routes import Call

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


async def audio_answer(app: App, call: Call, entry: Entry) -> Answer:
    """The audio of an entry: whole, the part that a Range asks for, or nothing where the client has it.

    Raises:
        Problem: 404 where there is none (any more).
    """
    if entry.audio.status is not AudioStatus.READY or entry.audio.blob is None:
        raise Problem(404, "No audio", f"the audio is {entry.audio.status}")
    blob = await app.blobs.read(entry.audio.blob)
    if blob is None:
        raise Problem(404, "No audio", "the audio has expired: POST to this address has it made anew")
    tag = quoted(hashlib.sha256(blob.data).hexdigest()[:24])
    headers = {"ETag": tag, "Accept-Ranges": "bytes", "Cache-Control": "private, no-cache"}
    media_type = entry.audio.media_type or "application/octet-stream"
    if call.if_none_match and matches(call.if_none_match, tag):
        return Answer(304, headers=headers)
    wanted, condition = call.headers.get("range"), call.headers.get("if-range")
    if not wanted or (condition and condition != tag):
        return Answer(200, blob.data, headers, media_type)
    return _part(blob.data, wanted, headers, media_type)


def _part(data: bytes, wanted: str, headers: dict[str, str], media_type: str) -> Answer:
    """One range; what is no single range of bytes is as if it had not been asked for, as RFC 9110 lets a server decide."""
    found = _RANGE.fullmatch(wanted.replace(" ", ""))
    if not found or not (found[1] or found[2]):
        return Answer(200, data, headers, media_type)
    size = len(data)
    if found[1]:
        first, last = int(found[1]), min(int(found[2] or size - 1), size - 1)
    else:
        first, last = max(size - int(found[2]), 0), size - 1
    if first >= size or (found[1] and found[2] and int(found[2]) < first):
        problem = Problem(416, "Range not satisfiable", f"the audio has {size} bytes").answer()
        return problem._replace(headers={**problem.headers, "Content-Range": f"bytes */{size}"})
    part = {**headers, "Content-Range": f"bytes {first}-{last}/{size}"}
    return Answer(206, data[first : last + 1], part, media_type)


async def words_page(
    app: App, user_id: str, language: Language, state: str, limit: int, cursor: str | None
) -> WordPage:
    """A page of a user's words."""
    from shared.domains.stories.views import word_view

    if cursor is not None and len(cursor) > 200:
        raise unfit("cursor", "must be the cursor of a page before")
    words = await VocabularyStore(app.documents).words(user_id, language)
    due = set(words.due(app.clock.now()))
    chosen = [each for _, each in sorted(words.words.items()) if _fits(each, state, due)]
    rest = [each for each in chosen if not cursor or each.lemma > cursor]
    return {
        "language": language,
        "total": len(words.words),
        "known": sum(each.known for each in words.words.values()),
        "due": len(due),
        "items": [word_view(each) for each in rest[:limit]],
        "cursor": rest[limit - 1].lemma if len(rest) > limit else None,
    }


def _fits(word: Word, state: str, due: set[str]) -> bool:
    if state == "due":
        return word.lemma in due
    return state == "all" or word.known == (state == "known")
