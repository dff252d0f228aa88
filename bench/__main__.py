"""``python -m bench [NAME ...] [--quick] [--json FILE] [--data DIR]``: measure, print, and keep the figures."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from bench import default_data

NAMES = ("cold", "jobs", "taste", "digest", "mood", "collect", "night", "dashboard")
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
    "digest_alike_over_popularity": (">=", 1.5),
    "digest_alike_over_chance": (">=", 1.5),
    "digest_occasion_over_popularity": (">=", 1.5),
    "collect_article_token_f1": (">=", 0.93),
    "collect_feed_agreement": (">=", 0.97),
    "collect_feed_slowest_seconds": ("<=", 5.0),
    "collect_listing_agreement": (">=", 0.97),
    "collect_listing_slowest_seconds": ("<=", 5.0),
}
"""What the project holds itself to. A miss is printed, and is no error: the machine may be to blame."""


def main() -> int:
    """Measure what is named; by default, speed."""
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(NAMES)} (default: cold and jobs)")
    parser.add_argument("--quick", action="store_true", help="fewer rounds: under five minutes")
    parser.add_argument("--json", type=Path, help="file for the figures, one flat object")
    parser.add_argument("--data", type=Path, default=default_data())
    options = parser.parse_args()
    if unknown := set(options.names) - set(NAMES):
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}")
    figures = _measure(options.names or ["cold", "jobs"], options)
    _print(figures)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0


def _measure(names: list[str], options: argparse.Namespace) -> dict[str, float]:
    figures: dict[str, float] = {}
    if "cold" in names:
        from bench import cold

        figures |= cold.measure(quick=options.quick)
    if "jobs" in names:
        from bench import jobs

        figures |= jobs.measure(quick=options.quick)
    if "taste" in names:
        from bench import taste

        predicted = taste.measure(options.data / taste.DATA, taste.QUICK_USERS if options.quick else None)
        print(taste.show(predicted))
        figures |= predicted
    if "digest" in names:
        from bench import digest, taste

        fitting = digest.measure(options.data / taste.DATA, taste.QUICK_USERS if options.quick else None)
        print(digest.show(fitting))
        figures |= fitting
    if "mood" in names:
        from bench import mood

        figures |= mood.measure(options.data)[0]
    if "collect" in names:
        from bench import collect

        figures |= collect.measure(options.data)
    if "night" in names:
        from bench import night

        figures |= night.measure(quick=options.quick)
    if "dashboard" in names:
        from bench import dashboard

        figures |= dashboard.measure(quick=options.quick)
    return figures


def _print(figures: dict[str, float]) -> None:
    for name, value in figures.items():
        sign, target = TARGETS.get(name, ("", 0.0))
        met = value >= target if sign == ">=" else value <= target
        verdict = f"   to reach {sign} {target:g}: {'yes' if met else 'NO'}" if sign else ""
        print(f"{name:34} {value:12.3f}{verdict}")


if __name__ == "__main__":
    sys.exit(main())
