"""What texts name: people, organisations, places, dates, amounts, addresses of all sorts. By rules; all of this runs in the sandbox."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import NamedTuple

from shared.domains.pipelines.executors.fields import Data
from shared.domains.pipelines.executors.texts import LONGEST, listed, plain, sentences, stop_words

RULES = (
    "person",
    "organization",
    "location",
    "date",
    "money",
    "email",
    "phone",
    "url",
    "quantity",
    "percentage",
    "time",
    "ip-address",
)
"""What there are rules for. Products, events, skills and the like are found by a model alone."""
_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec"
_CURRENCY = "USD|EUR|GBP|CHF|JPY|dollars?|euros?|pounds?|yen|francs?"
_UNITS = "kg|g|mg|lbs?|oz|km|m|cm|mm|miles?|feet|ft|inch(?:es)?|litres?|liters?|ml|l|GB|MB|TB|KB|kWh|MW|W|hours?|minutes?|seconds?|days?|weeks?|months?|years?|tons?|tonnes?|°C|°F|mph|km/h|acres?|hectares?"
_PATTERNS: dict[str, re.Pattern[str]] = {
    "email": re.compile(r"\b[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,5}[A-Za-z]{2,24}\b"),
    "url": re.compile(r"\bhttps?://[^\s<>\"')\]]{2,2000}|\bwww\.[^\s<>\"')\]]{3,2000}"),
    "phone": re.compile(r"(?<![\w.+-])\+?(?:\(\d{1,4}\)|\d{1,4})(?:[ .\-/]?(?:\(\d{1,5}\)|\d{2,5})){2,5}(?![\w-]|\.\d)"),
    "date": re.compile(
        rf"\b(?:\d{{1,2}}(?:st|nd|rd|th)? (?:of )?(?:{_MONTHS})\.?,? \d{{4}}|(?:{_MONTHS})\.? \d{{1,2}}(?:st|nd|rd|th)?(?:, ?\d{{4}})?|"
        rf"(?:{_MONTHS})\.? \d{{4}}|\d{{4}}-\d{{2}}-\d{{2}}|\d{{1,2}}[./]\d{{1,2}}[./]\d{{2,4}})\b"
    ),
    "time": re.compile(r"\b(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?(?: ?[ap]\.?m\.?)?\b|\b(?:1[0-2]|[1-9]) ?[ap]\.?m\b\.?", re.IGNORECASE),
    "money": re.compile(
        rf"(?:[$€£¥]|US\$) ?\d[\d.,]*\d?(?: ?(?:million|billion|trillion|bn|m|k)\b)?|\b\d[\d.,]* ?(?:million |billion |trillion )?(?:[€£]|(?:{_CURRENCY})\b)",
        re.IGNORECASE,
    ),
    "percentage": re.compile(r"\b\d+(?:[.,]\d+)? ?(?:%|percent\b|per cent\b)"),
    "quantity": re.compile(rf"\b\d+(?:[.,]\d+)* ?(?:{_UNITS})\b"),
    "ip-address": re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]\d|\d)|(?<![\w:])(?:[0-9A-Fa-f]{1,4}:){2,7}[0-9A-Fa-f]{1,4}(?![\w:])"),
}  # fmt: skip
_NAME = re.compile(
    r"\b(?:(?:[A-Z]\.)+|[A-ZÀ-Þ][\w'\u2019-]*)(?:(?: (?:of|de|von|van|del|la|the|and|&|der|du|di|da)){0,2} (?:(?:[A-Z]\.)+|[A-ZÀ-Þ][\w'\u2019-]*))*"
)
_LEADS = frozenset(["in", "at", "from", "near", "to", "into", "across", "around", "throughout", "outside", "inside"])
"""Words before a place."""


class Entity(NamedTuple):
    """Something that is named, and where."""

    sort: str
    text: str
    start: int
    end: int
    confidence: float


def entities_in(text: str, sorts: Sequence[str]) -> list[Entity]:
    """What a text names of these sorts, in its order; where two overlap, the longer."""
    text = text[:LONGEST]
    found: list[Entity] = []
    for sort, pattern in _PATTERNS.items():
        if sort in sorts or sort in ("url", "email", "money", "date"):  # what is one of these is nothing else
            found += [
                Entity(sort, each[0].rstrip(".,;:") if sort == "url" else each[0], each.start(), each.end(), 0.9)
                for each in pattern.finditer(text)
                if _CHECKS.get(sort, _true)(each[0])
            ]
    if {"person", "organization", "location"} & set(sorts):
        found += _names(text)
    kept: list[Entity] = []
    for each in sorted(found, key=lambda one: (one.start - one.end, _ORDER.index(one.sort))):
        if not any(other.start < each.end and each.start < other.end for other in kept):
            kept.append(each)
    return sorted((each for each in kept if each.sort in sorts), key=lambda one: one.start)


_ORDER = (*_PATTERNS, "person", "organization", "location")


def _true(_: str) -> bool:
    return True


def is_phone(text: str) -> bool:
    """Whether digits are as many as a telephone has, and written as one: no date, no year, no amount."""
    digits = re.sub(r"\D", "", text)
    parts = re.split(r"[ .\-/()]+", text.strip("+() "))
    if len(parts) < 2 or (len(parts) == 2 and "." in text):
        return False  # one number, or one with a point
    years = re.fullmatch(r"(?:19|20)\d\d[ \-/](?:19|20)\d\d", text)
    alike = len(set(digits)) == 1 or re.fullmatch(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}", text)
    return (
        7 <= len(digits) <= 15
        and not years
        and not alike
        and (text.startswith(("+", "0", "(")) or len(parts) in (2, 3, 4))
    )


def is_ip(text: str) -> bool:
    """Whether it is an address of either version."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


_CHECKS: dict[str, Callable[[str], bool]] = {"phone": is_phone, "ip-address": is_ip}


def _names(text: str) -> Iterator[Entity]:
    """Runs of words with capitals, by what they hold and what stands before them."""
    for offset, sentence in sentences(text):
        if _is_shouted(sentence):
            continue
        for found in _NAME.finditer(sentence):
            start, name = found.start(), found[0].rstrip(".-'\u2019")
            if start == 0 or sentence[:start].strip("\"'“«([- ") == "":
                start, name = _without_start(start, name)
            before = sentence[:start].rstrip().rpartition(" ")[2].lower().strip("(\"'“")
            name = name.removesuffix("'s").removesuffix("\u2019s")
            sort, sure = _sort_of(name, before) if name else ("", 0.0)
            if sort:
                yield Entity(sort, name, offset + start, offset + start + len(name), sure)


def _is_shouted(sentence: str) -> bool:
    letters = [each for each in sentence if each.isalpha()]
    return len(letters) > 12 and sum(each.isupper() for each in letters) > 0.6 * len(letters)


def _without_start(start: int, name: str) -> tuple[int, str]:
    """A sentence begins with a capital whatever its first word: a word that is no name is left out."""
    first, space, rest = name.partition(" ")
    if plain(first) in stop_words() or (not space and not _is_known(first)):
        return start + len(first) + len(space), rest
    return start, name


def _is_known(word: str) -> bool:
    low = plain(word)
    return low in listed("names", "given") or low in places() or (word.isupper() and 2 <= len(word) <= 5)


def _sort_of(name: str, before: str) -> tuple[str, float]:
    """What a run of capitals is, and how sure that is; the first rule that fits."""
    parts = [plain(each).rstrip(".") for each in name.split()]
    if name.lower().removeprefix("the ") in places() and (name.isupper() or not _say_nothing(parts)):
        return "location", 0.9
    if _say_nothing(parts) and not (name.isupper() and len(name) > 1):
        return "", 0.0
    if (parts[0] in listed("names", "titles") and len(parts) > 1) or before.rstrip(".") in listed("names", "titles"):
        return "person", 0.9
    if len(parts) > 1 and (not listed("names", "organisations").isdisjoint(parts[1:]) or _INSTITUTIONS & set(parts)):
        return "organization", 0.85
    if parts[0] in listed("names", "given") and len(parts) <= 4:
        return "person", 0.85 if len(parts) > 1 else 0.6
    return _guessed(name, parts, before)


def _say_nothing(parts: list[str]) -> bool:
    return all(each in stop_words() or each in _CALENDAR for each in parts)


def _guessed(name: str, parts: list[str], before: str) -> tuple[str, float]:
    """What it may be by its form alone."""
    if parts[0] in places() and len(parts) <= 3:
        return "location", 0.7
    if len(parts) == 1 and name.isupper() and 2 <= len(name) <= 6:
        return "organization", 0.6
    if before in _LEADS and len(parts) <= 3 and len(name) > 3:
        return "location", 0.7 if any(each in places() for each in parts) else 0.5
    if 2 <= len(parts) <= 3 and all(
        each[0].isupper() and not (each.isupper() and len(each) > 2) for each in name.split()
    ):
        return "person", 0.5
    return "", 0.0


_INSTITUTIONS = frozenset({"university", "bank", "ministry", "department", "institute"})
_CALENDAR = frozenset(
    [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ]
)
_CITIES = """london paris berlin madrid rome vienna athens lisbon dublin brussels amsterdam copenhagen stockholm oslo helsinki warsaw prague budapest bucharest sofia belgrade
moscow kyiv kiev istanbul ankara cairo baghdad tehran riyadh jerusalem beirut damascus kabul delhi mumbai karachi islamabad dhaka beijing shanghai tokyo osaka seoul pyongyang
bangkok hanoi jakarta manila singapore sydney melbourne auckland toronto montreal vancouver ottawa washington chicago boston houston dallas miami seattle atlanta denver
detroit phoenix philadelphia havana bogota lima santiago caracas lagos nairobi johannesburg europe africa asia america california texas florida munich hamburg cologne
frankfurt zurich geneva milan naples turin venice barcelona valencia seville lyon marseille toulouse bordeaux manchester liverpool glasgow edinburgh birmingham falluja fallujah"""
_MORE = ("new york", "los angeles", "san francisco", "new delhi", "hong kong", "tel aviv", "buenos aires", "mexico city", "rio de janeiro", "new york city", "middle east", "uk", "us", "usa", "u.s", "u.k", "eu")  # fmt: skip


@cache
def places() -> frozenset[str]:
    """Countries, in English, and large cities."""
    from babel import Locale

    countries = (str(name).lower() for name in Locale("en").territories.values())
    return frozenset(
        (
            *countries,
            *_CITIES.split(),
            *_MORE,
            "britain",
            "england",
            "scotland",
            "wales",
            "russia",
            "turkey",
            "korea",
            "holland",
        )
    )


def extracted(text: str, sorts: Sequence[str], form: str, with_context: bool) -> Data | list[str] | str:
    """What a text names, by sort: as an object of lists, as one list, or as text."""
    by_sort: dict[str, dict[str, Entity]] = {sort: {} for sort in sorts}
    for each in entities_in(text, sorts):
        by_sort[each.sort].setdefault(each.text, each)
    if form == "list":
        return [name for found in by_sort.values() for name in found]
    if form == "text":
        return "\n".join(f"{sort}: {', '.join(found)}" for sort, found in by_sort.items() if found)
    if with_context:
        return {
            sort: [{"text": name, "context": context_of(text, each)} for name, each in found.items()]
            for sort, found in by_sort.items()
        }
    return {sort: list(found) for sort, found in by_sort.items()}


def context_of(text: str, each: Entity, room: int = 40) -> str:
    """The words around something."""
    start, end = max(0, each.start - room), min(len(text), each.end + room)
    start = text.find(" ", start, each.start) + 1 if start else 0
    end = text.rfind(" ", each.end, end) if end < len(text) and " " in text[each.end : end] else end
    return " ".join(text[start:end].split())
