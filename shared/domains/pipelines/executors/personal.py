"""What texts say of persons that should not be seen: found by patterns and checksums, and covered. All of this runs in the sandbox."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from shared.domains.pipelines.executors.entities import entities_in, is_ip, is_phone
from shared.domains.pipelines.executors.fields import Data
from shared.domains.pipelines.executors.texts import LONGEST

RULES = (
    "name", "email", "phone", "ssn", "credit_card", "address", "date_of_birth", "passport", "license", "ip_address", "bank_account",
)  # fmt: skip
"""What there are rules for."""


class Hit(NamedTuple):
    """Something personal, and where."""

    sort: str
    value: str
    start: int
    end: int
    confidence: float


def passes_luhn(text: str) -> bool:
    """Whether a card's number has the check digit that it must have (ISO/IEC 7812)."""
    digits = [int(each) for each in text if each.isdigit()]
    doubled = (each * 2 - 9 if each > 4 else each * 2 for each in digits[-2::-2])
    return 13 <= len(digits) <= 19 and len(set(digits)) > 1 and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def passes_iban(text: str) -> bool:
    """Whether an account's number has the check digits that it must have (ISO 13616)."""
    bare = re.sub(r"\s", "", text).upper()
    if not 15 <= len(bare) <= 34:
        return False
    return int("".join(str(int(each, 36)) for each in bare[4:] + bare[:4])) % 97 == 1


def is_ssn(text: str) -> bool:
    """Whether a social security number can have been given out: not area 000, 666 or 9xx, not group 00, not serial 0000."""
    area, group, serial = re.split(r"[- ]", text)
    return area not in ("000", "666") and area[0] != "9" and group != "00" and serial != "0000"


_STREET = r"Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Place|Pl|Square|Sq|Way|Terrace|Parkway|Pkwy|Highway|Hwy|Circle|Close|Crescent"
_PATTERNS: tuple[tuple[str, re.Pattern[str], Callable[[str], bool], float], ...] = (
    ("credit_card", re.compile(r"(?<![\w-])\d(?:[ -]?\d){12,18}(?![\w-])"), passes_luhn, 0.95),
    ("bank_account", re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b"), passes_iban, 0.95),
    ("bank_account", re.compile(r"(?i:\b(?:account|acct|a/c)\.?(?: ?(?:number|no|#))?\.?[ :#]{0,3})(\d{6,17})\b"), lambda _: True, 0.75),
    ("ssn", re.compile(r"(?<![\w-])\d{3}[- ]\d{2}[- ]\d{4}(?![\w-])"), is_ssn, 0.9),
    ("email", re.compile(r"\b[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,5}[A-Za-z]{2,24}\b"), lambda _: True, 0.98),
    (
        "date_of_birth",
        re.compile(r"(?i:\b(?:born(?: on)?|date of birth|d\.?o\.?b\.?|birthday|geboren(?: am)?|née? le)[ :]{1,3})([\w./-]{1,12}(?:,? [\w.]{1,12}){0,2}\d{2,4})\b"),
        lambda text: any(each.isdigit() for each in text), 0.85,
    ),
    ("passport", re.compile(r"(?i:\bpassport(?: ?(?:number|no|#))?\.?[ :#]{0,3})([A-Z0-9]{6,9})\b"), lambda text: any(each.isdigit() for each in text), 0.85),
    ("license", re.compile(r"(?i:\b(?:driver'?s? )?licen[cs]e(?: ?(?:number|no|#))?\.?[ :#]{0,3})([A-Z0-9-]{5,16})\b"), lambda text: sum(each.isdigit() for each in text) > 3, 0.75),
    ("ip_address", re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]\d|\d)|(?<![\w:])(?:[0-9A-Fa-f]{1,4}:){3,7}[0-9A-Fa-f]{1,4}(?![\w:])"), is_ip, 0.9),
    ("phone", re.compile(r"(?<![\w.+-])\+?(?:\(\d{1,4}\)|\d{1,4})(?:[ .\-/]?(?:\(\d{1,5}\)|\d{2,5})){2,5}(?![\w-]|\.\d)"), is_phone, 0.8),
    ("address", re.compile(rf"\b\d{{1,5}}[A-Za-z]?,? (?:[A-ZÀ-Þ][\w'.]*\.? ){{1,4}}(?:{_STREET})\b(?:(?<=St|Rd|Dr|Ln|Ct|Pl|Sq)\.)?(?:,? (?:Apt|Suite|Unit|#)\.? ?\w{{1,6}})?(?:, [A-ZÀ-Þ][\w ]{{1,30}}){{0,2}}(?:,? [A-Z]{{2}} \d{{5}}(?:-\d{{4}})?)?"), lambda _: True, 0.8),
    ("address", re.compile(r"\b[A-ZÄÖÜ][a-zäöüß-]{2,30}(?:straße|strasse|str\.|weg|platz|allee|gasse) \d{1,4}[a-z]?(?:, \d{5} [A-ZÄÖÜ][a-zäöüß]+)?"), lambda _: True, 0.8),
    ("address", re.compile(r"\b\d{1,4},? (?:rue|avenue|boulevard|place|chemin|calle|plaza|avenida) (?:[\w'\u2019-]+ ){0,4}[\w'\u2019-]+(?:, \d{5} [A-ZÀ-Þ][\w-]+)?"), lambda _: True, 0.75),
)  # fmt: skip


def found_in(
    text: str,
    sorts: Sequence[str],
    least: float,
    patterns: Sequence[str] = (),
    more: Sequence[tuple[str, str, float]] = (),
) -> list[Hit]:
    """What a text says of these sorts, in its order, of which one can be so sure; where two overlap, the surer.

    Args:
        text: what is looked through.
        sorts: which of `RULES`.
        least: the least confidence.
        patterns: regular expressions of the pipeline's own; what they find is `custom`.
        more: sorts, values and confidences that a model has named; each is looked up wherever it stands.
    """
    text = text[:LONGEST]
    named = (
        Hit(sort, value, at.start(), at.end(), sure)
        for sort, value, sure in more
        if value.strip()
        for at in re.finditer(re.escape(value), text)
    )
    hits = [each for each in (*_all(text, sorts, patterns), *named) if each.confidence >= least]
    kept: list[Hit] = []
    for each in sorted(hits, key=lambda hit: (-hit.confidence, hit.start - hit.end)):
        if not any(other.start < each.end and each.start < other.end for other in kept):
            kept.append(each)
    return sorted(kept, key=lambda hit: hit.start)


def _all(text: str, sorts: Sequence[str], patterns: Sequence[str]) -> Iterator[Hit]:
    for sort, pattern, check, sure in _PATTERNS:
        for found in pattern.finditer(text) if sort in sorts else ():
            group = 1 if pattern.groups else 0
            if check(found[group]):
                yield Hit(sort, found[group], found.start(group), found.end(group), sure)
    if "name" in sorts:
        for each in entities_in(text, ("person",)):
            yield Hit("name", each.text, each.start, each.end, each.confidence)
    for own in patterns:
        for found in re.finditer(own, text):
            if found[0]:
                yield Hit("custom", found[0], found.start(), found.end(), 1.0)


def covered(text: str, hits: Sequence[Hit], action: str) -> str:
    """A text without what was found: `redact` says what was there, `mask` leaves stars, `label` marks it."""
    made, at = [], 0
    for each in hits:
        made += [text[at : each.start], _cover(each, action)]
        at = each.end
    return "".join([*made, text[at:]])


def _cover(hit: Hit, action: str) -> str:
    sort = hit.sort.upper()
    if action == "mask":
        return "***"
    return f"[REDACTED-{sort}]" if action == "redact" else f"<PII-{sort}>{hit.value}</PII-{sort}>"


def detected(text: str, how: Data) -> tuple[Data, str | None]:
    """What was found, and the text without it where that is asked for; `how` has the settings of the executor."""
    hits = found_in(
        text, how["pii_types"], how["confidence_threshold"], how["custom_patterns"] or (), how.get("more", ())
    )
    listed = [
        {
            "type": each.sort, "value": each.value, "confidence": each.confidence,
            **({"position": {"start": each.start, "end": each.end}} if how["include_positions"] else {}),
        }
        for each in hits
    ]  # fmt: skip
    return {"pii_found": listed, "count": len(hits)}, None if how["action"] == "detect" else covered(
        text, hits, how["action"]
    )
