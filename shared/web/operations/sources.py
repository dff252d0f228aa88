"""Operations on sources, their items and their subscribers."""

from __future__ import annotations

from shared.api import schemas
from shared.domains.sources import views
from shared.domains.sources.api import SOURCE_ID
from shared.domains.sources.model import Health, SourceKind
from shared.domains.sources.requests import NewSource, SourceChanges
from shared.web.operations.model import ETAG, PAGE, TICKET, USER, Operation, Parameter

_ID = {"type": "string", "pattern": f"^{SOURCE_ID}$"}
_SOURCE = Parameter("source_id", "path", _ID, "The source's id.")
_MATCH = Parameter("If-Match", "header", {"type": "string"}, "The ETag of the version that the client means.")
_SINCE, _, *_PAGE = PAGE
_KIND = Parameter("kind", "query", {"enum": [each.value for each in SourceKind]}, "Only of this kind.")
_HEALTH = Parameter("health", "query", {"enum": [each.value for each in Health]}, "Only those that fare so.")
_OF = Parameter("source", "query", _ID, "Only what was found at this source.")

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "ListSources", "get", "sources", "Every source and how it fares", "sources", {200: views.SourcePage}, (422, 503),
        (_KIND, _HEALTH, *_PAGE),
    ),
    Operation(
        "CreateSource", "post", "sources", "Have something scraped", "sources", {201: views.SourceView},
        (400, 409, 413, 422, 503), body=NewSource, headers=("ETag", "Location"),
        samples=({"kind": "reddit", "subreddit": "streetwear"},),
    ),
    Operation(
        "GetSource", "get", "sources/{source_id}", "A source and its last run", "sources",
        {200: views.SourceView, 304: None}, (404, 503), (_SOURCE, ETAG), headers=("ETag",),
    ),
    Operation(
        "ChangeSource", "patch", "sources/{source_id}", "Change a source, or switch it on or off", "sources",
        {200: views.SourceView}, (400, 404, 412, 413, 422, 503), (_SOURCE, _MATCH), SourceChanges, headers=("ETag",),
        samples=({"active": True},),
    ),
    Operation(
        "DeleteSource", "delete", "sources/{source_id}", "Have something scraped no longer", "sources", {204: None},
        (404, 412, 503), (_SOURCE, _MATCH),
    ),
    Operation(
        "RunSource", "post", "sources/{source_id}/run", "Scrape a source now", "sources", {202: schemas.TicketView},
        (404, 503), (_SOURCE,), headers=TICKET,
    ),
    Operation(
        "ListItems", "get", "items", "What was gathered, newest first", "items", {200: views.ItemPage}, (422, 503),
        (_SINCE, _OF, *_PAGE),
    ),
    Operation(
        "ListSubscriptions", "get", "users/{user_id}/subscriptions", "The sources that a user follows", "sources",
        {200: views.SubscriptionPage}, (422, 503), (USER, *_PAGE),
    ),
    Operation(
        "Subscribe", "put", "users/{user_id}/subscriptions/{source_id}", "Follow a source", "sources", {204: None},
        (404, 422, 503), (USER, _SOURCE),
    ),
    Operation(
        "Unsubscribe", "delete", "users/{user_id}/subscriptions/{source_id}", "Follow a source no longer", "sources",
        {204: None}, (404, 422, 503), (USER, _SOURCE),
    ),
)  # fmt: skip
