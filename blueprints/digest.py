"""The weekly digest: its timer, and digests over HTTP."""

from __future__ import annotations

import azure.functions as func

bp = func.Blueprint()
