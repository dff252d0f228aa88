"""Adventures over HTTP: begin one, read it, decide, hear it, have an entry told anew; and the page to read it on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.web.answers import Answer, Problem, json_answer, tagged_answer
from shared.web.parameters import LIST, USER, UUID
from shared.web.requests import read_choice, read_id, read_limit, read_model, read_uuid, unfit
from shared.web.routes import Api, Call, Parameter
from shared.web.rules import OPEN, READ, WRITE

if TYPE_CHECKING:
    from shared.app import App
    from shared.domains.stories.model import Adventure, Branch, Entry
    from shared.domains.stories.store import AdventureStore
    from shared.domains.stories.telling import Telling

_NO_STORE = {"Cache-Control": "no-store"}
_ADVENTURE = "adventures/{adventure_id:guid}"
_ENTRY = f"{_ADVENTURE}/entries/{{entry_id:guid}}"

api = Api(
    __name__,
    "adventures",
    USER,
    Parameter("adventure_id", "path", UUID, "The adventure's id."),
    Parameter("entry_id", "path", UUID, "The entry's id."),
    Parameter(
        "word", "path", {"type": "string", "minLength": 1, "maxLength": 100}, "A word, in its dictionary form."
    ),
    Parameter("name", "path", {"type": "string"}, "The part's name."),
)  # fmt: skip
_OF_USER = Parameter("user_id", "query", {"type": "string"}, "Whose adventures.")
_LANGUAGE = Parameter("language", "query", "languages:Language", "The words of this language.")
_STATE = Parameter(
    "state",
    "query",
    {"type": "string", "enum": ["all", "known", "unknown", "due"], "default": "all"},
    "Only these words.",
)
_KEY = Parameter(
    "Idempotency-Key", "header", {"type": "string"},
    "Makes a request that is sent again, by the same user, give the adventure that the first one made.",
)  # fmt: skip
_RANGE = Parameter("Range", "header", {"type": "string"}, "A part of the audio: `bytes=0-1023` (RFC 9110).")


@api.route(
    "CreateAdventure", "POST adventures", WRITE, {201: "views:AdventureView", 200: "views:AdventureView"}, (404, 409),
    body="views:NewAdventure", headers=("Location",), parameters=(_KEY,),
    samples=({"user_id": "ann", "language": "fr", "native_language": "en", "level": "A2", "genre": "mystery"},),
)  # fmt: skip
async def create_adventure(app: App, call: Call) -> Answer:
    """Begin an adventure: its first entry is being made."""
    from shared.domains.stories.beginning import new_adventure
    from shared.domains.stories.views import NewAdventure, adventure_view

    adventure = await new_adventure(app, read_model(NewAdventure, call.body), call.headers.get("idempotency-key"))
    made, new = await _telling(app).begin(adventure, call.trace)
    location = {"Location": f"{call.api_url}/adventures/{made.adventure_id}"}
    return json_answer(adventure_view(made), 201 if new else 200, location)


@api.route(
    "ListAdventures", "GET adventures", READ, {200: "views:AdventurePage"}, (422,), parameters=(_OF_USER, *LIST)
)  # fmt: skip
async def list_adventures(app: App, call: Call) -> Answer:
    """A user's adventures, the newest first."""
    from shared.domains.stories.views import adventure_view

    user_id, cursor = read_id(call.query.get("user_id", ""), "user_id"), call.query.get("cursor")
    cursor = read_id(cursor, "cursor") if cursor else None
    found, following = await _adventures(app).page(user_id, read_limit(call.query), cursor)
    items = [adventure_view(each) for each in found]
    return json_answer({"items": items, "cursor": following}, headers=_NO_STORE)


@api.route("GetAdventure", f"GET {_ADVENTURE}", READ, {200: "views:AdventureView", 304: None}, (400, 404))
async def get_adventure(app: App, call: Call) -> Answer:
    """An adventure, and where its entries are in it."""
    from shared.domains.stories.model import AdventureStatus
    from shared.domains.stories.views import adventure_view

    adventure = await _adventure(app, call)
    if adventure.status in (AdventureStatus.AWAITING_FIRST_ENTRY, AdventureStatus.ACTIVE):
        latest = adventure.branches[-1]
        entry = await _adventures(app).entry(adventure.user_id, latest.entry_id)
        await _telling(app).looked_at(adventure, entry, latest)
    return tagged_answer(adventure_view(adventure), call.if_none_match)


@api.route("DeleteAdventure", f"DELETE {_ADVENTURE}", WRITE, {204: None}, (400,))
async def delete_adventure(app: App, call: Call) -> Answer:
    """Delete an adventure with its entries and their audio. Safe to repeat."""
    adventures = _adventures(app)
    adventure = await adventures.find(read_uuid(call.path["adventure_id"], "adventure_id"))
    if adventure:
        await adventures.delete(adventure, app.blobs)
    return Answer(204)


@api.route(
    "DecideAdventure", f"POST {_ADVENTURE}/decisions", WRITE, {201: "views:StoryEntryView", 200: "views:StoryEntryView"}, (404, 409),
    body="views:Decision", headers=("Location",),
    samples=({"entry_id": "9f1c2b1e-0c5a-5d0e-8f5e-2f6d3a0c7b11", "choice": 0},),
)  # fmt: skip
async def decide_adventure(app: App, call: Call) -> Answer:
    """Decide what comes next: the entry that follows is being made. Sent twice, it is one entry (200)."""
    from shared.domains.stories.views import Decision

    decision = read_model(Decision, call.body)
    adventure = await _adventure(app, call)
    entry_id = read_uuid(decision.entry_id, "entry_id")
    entry, new = await _telling(app).decide(adventure, entry_id, decision.choice, call.trace)
    return await _entry_answer(app, call, entry, 201 if new else 200)


@api.route("GetAdventureEntry", f"GET {_ENTRY}", READ, {200: "views:StoryEntryView", 304: None}, (400, 404))
async def get_adventure_entry(app: App, call: Call) -> Answer:
    """An entry: as much of it as is made."""
    from shared.domains.stories.views import entry_view

    adventure, _, entry = await _entry(app, call)
    return tagged_answer(entry_view(adventure, entry), call.if_none_match)


@api.route(
    "RetellAdventureEntry", f"POST {_ENTRY}/regenerate", WRITE, {201: "views:StoryEntryView"}, (400, 404, 409),
    headers=("Location",),
)  # fmt: skip
async def retell_adventure_entry(app: App, call: Call) -> Answer:
    """Have an entry told anew. The new one takes its place after the same choice; the old one is kept, with what followed on it."""
    adventure = await _adventure(app, call)
    entry = await _telling(app).retell(adventure, read_uuid(call.path["entry_id"], "entry_id"), call.trace)
    return await _entry_answer(app, call, entry, 201)


@api.route(
    "GetAdventureAudio", f"GET {_ENTRY}/audio", READ, {200: None, 206: None, 304: None}, (400, 404, 416), parameters=(_RANGE,),
    headers=("Accept-Ranges", "Content-Range"),
)  # fmt: skip
async def get_adventure_audio(app: App, call: Call) -> Answer:
    """An entry's audio, or a part of it."""
    from shared.domains.stories.playing import audio_answer

    _, _, entry = await _entry(app, call)
    return await audio_answer(app, call, entry)


@api.route(
    "SpeakAdventureEntry", f"POST {_ENTRY}/audio", WRITE, {202: "shared.api.schemas:TicketView"}, (400, 404, 409),
    headers=("Location", "Retry-After", "ETag"),
)  # fmt: skip
async def speak_adventure_entry(app: App, call: Call) -> Answer:
    """Have the audio of an entry made anew."""
    from shared.api.views import ticket_answer
    from shared.domains.stories.kinds import speak_adventure_entry as speak
    from shared.domains.stories.payload import EntryJob

    adventure, _, entry = await _entry(app, call)
    if not entry.sentences or not entry.status.final:
        raise Problem(409, "Not complete", "the entry is being made: its audio comes with it")
    payload = EntryJob(adventure_id=adventure.adventure_id, entry_id=entry.entry_id, user_id=entry.user_id)
    return await ticket_answer(app, await app.submit(speak, payload, trace=call.trace), call.api_url)


@api.route(
    "ListVocabulary", "GET users/{user_id}/vocabulary", READ, {200: "views:WordPage"}, (422,), parameters=(_LANGUAGE, _STATE, *LIST),
    tag="vocabulary",
)  # fmt: skip
async def list_vocabulary(app: App, call: Call) -> Answer:
    """The words that a user has met in a language."""
    from shared.domains.stories.languages import Language
    from shared.domains.stories.playing import words_page

    user_id = read_id(call.path["user_id"], "user_id")
    language = read_choice(call.query, "language", Language)
    if language is None:
        raise unfit("language", f"must be one of {', '.join(Language)}")
    state = read_choice(call.query, "state", ("all", "known", "unknown", "due")) or "all"
    page = await words_page(app, user_id, Language(language), state, read_limit(call.query), call.query.get("cursor"))
    return json_answer(page, headers=_NO_STORE)


@api.route(
    "PutVocabularyWord", "PUT users/{user_id}/vocabulary/{word}", WRITE, {200: "views:WordView"}, (404,), body="views:WordSettings",
    samples=({"language": "fr", "known": True},), tag="vocabulary",
)  # fmt: skip
async def put_vocabulary_word(app: App, call: Call) -> Answer:
    """Say that a user knows a word, or does not: then it is due at once."""
    from shared.domains.stories.views import WordSettings, word_view
    from shared.domains.stories.vocabulary import VocabularyStore
    from shared.domains.users.public import known_user

    settings = read_model(WordSettings, call.body)
    word = call.path["word"].strip()
    if not word or len(word) > 100 or not word[0].isalpha():
        raise unfit("word", "must be a word of at most 100 characters")
    user = await known_user(app, call.path["user_id"])
    store = VocabularyStore(app.documents)
    return json_answer(
        word_view(await store.mark(user.user_id, settings.language, word, settings.known, app.clock.now()))
    )


@api.route("ReadAdventure", f"GET {_ADVENTURE}/read", OPEN, {200: None, 304: None})
async def read_adventure(app: App, call: Call) -> Answer:
    """The page to read an adventure on. It holds no data: it asks for a key, and with it for the rest."""
    from shared.domains.stories.page import part

    del app
    return part("index.html", call.if_none_match)


@api.route("ReadAdventurePart", "GET adventures/read/{name}", OPEN, {200: None, 304: None}, (404,))
async def read_adventure_part(app: App, call: Call) -> Answer:
    """A style sheet, a script or an image of the page to read on."""
    from shared.domains.stories.page import part

    del app
    return part(call.path["name"], call.if_none_match)


async def _entry_answer(app: App, call: Call, entry: Entry, status: int) -> Answer:
    """A new entry, in the adventure as it stands now."""
    from shared.domains.stories.views import entry_view

    adventure = await _adventure(app, call)
    location = f"{call.api_url}/adventures/{entry.adventure_id}/entries/{entry.entry_id}"
    return json_answer(entry_view(adventure, entry), status, {"Location": location})


async def _adventure(app: App, call: Call) -> Adventure:
    found = await _adventures(app).find(read_uuid(call.path["adventure_id"], "adventure_id"))
    if found is None:
        raise Problem(404, "Not found", "there is no such adventure")
    return found


async def _entry(app: App, call: Call) -> tuple[Adventure, Branch, Entry]:
    adventure = await _adventure(app, call)
    branch = adventure.branch(read_uuid(call.path["entry_id"], "entry_id"))
    if branch is None:
        raise Problem(404, "Not found", "there is no such entry in this adventure")
    entry = await _adventures(app).entry(adventure.user_id, branch.entry_id)
    return adventure, branch, await _telling(app).looked_at(adventure, entry, branch)


def _adventures(app: App) -> AdventureStore:
    from shared.domains.stories.store import AdventureStore

    return AdventureStore(app.documents)


def _telling(app: App) -> Telling:
    from shared.domains.stories.telling import Telling

    return Telling(_adventures(app), app.engine, app.clock.now)
