"""What other domains may have of taste."""

from __future__ import annotations

from shared.domains.taste.colours import oklab
from shared.domains.taste.containers import TASTE
from shared.domains.taste.evidence import EVIDENCE
from shared.domains.taste.facets import FACETS
from shared.domains.taste.feedback import Item, TasteJob
from shared.domains.taste.lexicon import lexicon
from shared.domains.taste.prior import Prior
from shared.domains.taste.profile import Profile
from shared.domains.taste.ranking import rank
from shared.domains.taste.store import PriorStore, TasteStore
from shared.domains.taste.words import analyse_words

__all__ = [
    "EVIDENCE",
    "FACETS",
    "TASTE",
    "Item",
    "Prior",
    "PriorStore",
    "Profile",
    "TasteJob",
    "TasteStore",
    "analyse_words",
    "lexicon",
    "oklab",
    "rank",
]
