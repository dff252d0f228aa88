"""``python -m bench [NAME ...] [--quick] [--json FILE] [--data DIR]``: measure, print, and keep the figures."""

from __future__ import annotations

import argparse
import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from bench import default_data

SPEED = ("cold", "jobs", "night", "dashboard", "cosmos", "instructions", "sweep")
NAMES = (*SPEED, "taste", "digest", "mood", "collect", "stories", "documents")
TARGETS: dict[str, tuple[str, float]] = {
    "efficiency": (">=", 0.8),
    "calls_per_plain_job": ("<=", 6.0),
    "document_writes_per_job": ("<=", 2.0),
    "peer_ratio": (">=", 1.5),
    "submit_latency_ratio_p50": ("<=", 1.3),
    "cold_start_ratio": ("<=", 1.5),
    "memory_growth_mib": ("<=", 10.0),
    "night_calls_growth_tenfold": ("<=", 1.1),
    "night_processor_growth_tenfold": ("<=", 1.5),
    "night_record_growth_tenfold": ("<=", 1.5),
    "dashboard_growth_hundredfold": ("<=", 2.0),
    "sweep_growth": ("<=", 1.2),
    "backlog_amplification": ("<=", 1.05),
    "document_requests_per_plain_job": ("<=", 2.0),
    "million_instructions_per_plain_job": ("<=", 12.6),
    "digest_alike_over_popularity": (">=", 1.5),
    "digest_alike_over_chance": (">=", 1.5),
    "digest_occasion_over_popularity": (">=", 1.5),
    "collect_article_token_f1": (">=", 0.93),
    "collect_feed_agreement": (">=", 0.97),
    "collect_feed_slowest_seconds": ("<=", 5.0),
    "collect_listing_agreement": (">=", 0.97),
    "collect_listing_slowest_seconds": ("<=", 5.0),
    "documents_f1": (">=", 0.92),
    "documents_f1_without_extra": (">=", 0.90),
    "documents_f1_pdf": (">=", 0.89),
    "documents_f1_docx": (">=", 0.91),
    "documents_f1_html": (">=", 0.95),
    "documents_pages_per_second": (">=", 50.0),
    "documents_largest_memory_mib": ("<=", 1024.0),
    "documents_children_ended": ("<=", 0.0),
    "stories_en_lemmas_given": (">=", 0.97),
    "stories_en_lemmas_raw": (">=", 0.95),
    "stories_en_sentences": (">=", 0.95),
    "stories_fr_lemmas_given": (">=", 0.95),
    "stories_fr_lemmas_raw": (">=", 0.93),
    "stories_fr_sentences": (">=", 0.95),
    "stories_es_lemmas_given": (">=", 0.965),
    "stories_es_lemmas_raw": (">=", 0.945),
    "stories_es_sentences": (">=", 0.95),
    "stories_de_lemmas_given": (">=", 0.975),
    "stories_de_lemmas_raw": (">=", 0.955),
    "stories_de_sentences": (">=", 0.95),
}
"""What the project holds itself to. A miss is printed, and is no error: the machine may be to blame."""


def main() -> int:
    """Measure what is named; by default, speed."""
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(NAMES)} (default: cold, jobs and sweep)")
    parser.add_argument("--quick", action="store_true", help="fewer rounds: under five minutes")
    parser.add_argument("--json", type=Path, help="file for the figures, one flat object")
    parser.add_argument("--data", type=Path, default=default_data())
    options = parser.parse_args()
    if unknown := set(options.names) - set(NAMES):
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}")
    figures = _measure(options.names or ["cold", "jobs", "sweep"], options)
    _print(figures)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0


def _measure(names: list[str], options: argparse.Namespace) -> dict[str, float]:
    figures: dict[str, float] = {}
    for name in names:
        module = import_module(f"bench.{name}")
        figures |= module.measure(quick=options.quick) if name in SPEED else _worth(name, module, options)
    return figures


def _worth(name: str, module: Any, options: argparse.Namespace) -> dict[str, float]:
    """What is measured on data from outside."""
    if name == "mood":
        return dict(module.measure(options.data)[0])
    if name in ("collect", "stories"):
        return dict(module.measure(options.data))
    if name == "documents":
        return dict(module.measure(options.data, quick=options.quick))
    from bench import taste

    found = module.measure(options.data / taste.DATA, taste.QUICK_USERS if options.quick else None)
    print(module.show(found))
    return dict(found)


def _print(figures: dict[str, float]) -> None:
    for name, value in figures.items():
        sign, target = TARGETS.get(name, ("", 0.0))
        met = value >= target if sign == ">=" else value <= target
        verdict = f"   to reach {sign} {target:g}: {'yes' if met else 'NO'}" if sign else ""
        print(f"{name:34} {value:12.3f}{verdict}")


if __name__ == "__main__":
    sys.exit(main())
