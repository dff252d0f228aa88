"""How tastes look from outside."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from shared.domains.taste.prior import Prior
from shared.domains.taste.profile import Profile
from shared.domains.taste.ranking import rank


@with_config(ConfigDict(extra="forbid"))
class TastePage(TypedDict):
    """A user's ranked tastes and the evidence that they stand on."""

    user_id: str
    evidence: dict[str, Any]
    others: dict[str, Any]
    facets: dict[str, list[dict[str, Any]]]


def profile_view(user_id: str, profile: Profile, prior: Prior) -> TastePage:
    """A user's tastes, ranked with what all users like."""
    facets = {facet: [asdict(each) for each in ranked] for facet, ranked in rank(profile, prior).items()}
    evidence = {name: getattr(profile, name) for name in ("ups", "downs", "items", "oldest", "newest")}
    return {"user_id": user_id, "evidence": evidence, "others": {"users": prior.users}, "facets": facets}
