"""Uploads as they come: the file as the body, or as a file of a form."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from shared.domains.documents.intake import Upload
from shared.domains.documents.multipart import FormError, read_form
from shared.jobs.model import Priority
from shared.web.answers import Problem
from shared.web.requests import read_choice, read_uuid, unfit

if TYPE_CHECKING:
    from shared.web.routes import Call


def upload_of(call: Call) -> Upload:
    """The file of a request.

    Raises:
        Problem: there is none, or what is said of it does not fit.
    """
    content_type = call.headers.get("content-type", "")
    if content_type.lower().startswith("multipart/form-data"):
        return _of_form(call, content_type)
    if not call.body:
        raise Problem(400, "No file", "the body is empty: send the file as the body, or as a file of a form")
    return Upload(call.query.get("name") or "document", call.body, _id(call.query.get("document_id")))


def checked_upload_id(text: str) -> str:
    """The id of an upload, or a 404 problem."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-[0-9a-f-]{36}", text):
        raise Problem(404, "Not found", "there is no such upload")
    return text


def _of_form(call: Call, content_type: str) -> Upload:
    try:
        form = read_form(call.body, content_type)
    except FormError as error:
        raise Problem(400, "Not a form", str(error)) from None
    if len(form.files) != 1:
        raise Problem(400, "Not one file", f"the form has {len(form.files)} files: send one a request")
    priority = read_choice(form.fields, "priority", list(Priority)) if form.fields.get("priority") else None
    ((name, data),) = form.files
    password = form.fields.get("password") or None
    if password and len(password) > 1000:
        raise unfit("password", "must have at most 1000 characters")
    document_id = _id(form.fields.get("document_id") or call.query.get("document_id"))
    return Upload(name, data, document_id, password, Priority(priority) if priority else None)


def _id(text: str | None) -> str | None:
    return read_uuid(text, "document_id") if text else None
