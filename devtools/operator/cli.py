"""The operator's verbs as a command line."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
from click.shell_completion import get_completion_class

from devtools.environment import TroubleError, reader_gone
from devtools.operator import VERBS, acting, drain, jobs, kinds, letters, looking, replay, submit, timers, top, workflow
from devtools.operator.api import LOCAL

PROGRAM = "dev.py"
COMPLETE = "_DEV_PY_COMPLETE"
"""The environment variable by which a shell asks what could come next."""
SHELLS = ("bash", "zsh", "fish")
_STATES = ("queued", "running", "completed", "failed", "cancelled")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_ASKED = "0, or 2 if it could not be asked"


class Moment(click.ParamType[str]):
    """A moment: how long ago (`90s`, `15m`, `1h`, `2d`), or a date and time."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The moment as the API takes it."""
        text = str(value)
        if ago := re.fullmatch(r"(\d{1,6})([smhdw])", text):
            return (datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})).isoformat()
        try:
            datetime.fromisoformat(text)
        except ValueError:
            self.fail(f"{text!r}: say how long ago, such as 1h, or a moment, such as 2026-03-16T09:00:00Z", param, ctx)
        return text


def _argument(name: str, **options: Any) -> click.Argument:
    return click.Argument([name], **options)


def _option(name: str, text: str, **options: Any) -> click.Option:
    return click.Option([name], help=text, **options)


def _flag(name: str, text: str) -> click.Option:
    return _option(name, text, is_flag=True)


def _seconds(name: str, text: str, default: float) -> click.Option:
    return _option(name, text, type=click.FloatRange(min=0), default=default, show_default=True, metavar="SECONDS")


def _limit(default: int = 50) -> click.Option:
    return _option("--limit", "At most so many.", type=click.IntRange(min=1), default=default, show_default=True)


_URL = _option(
    "--url", "The app's address.", envvar="NIGHTSHIFT_URL", default=LOCAL, show_default=True, show_envvar=True
)
_KEY = _option("--key", "A function key.", envvar="NIGHTSHIFT_KEY", show_envvar=True)
_JSON = _flag("--json", "For other programs.")
_SINCE = _option("--since", "Only since then: 1h, or a moment.", type=Moment())
_KIND = _option("--kind", "Only of this kind of job.")
_PRINT = _option("--fingerprint", "Only with this fingerprint.")
_ID = _argument("id", metavar="ID")
_IDS = _argument("ids", metavar="ID...", nargs=-1, required=True)
cli = click.Group(
    PROGRAM, help="Operate a running Nightshift.", context_settings={"help_option_names": ["-h", "--help"]}
)


def _verb(name: str, act: Callable[[argparse.Namespace], int], codes: str, *params: click.Parameter) -> None:
    text = VERBS[name]

    def callback(**given: Any) -> int:
        return act(argparse.Namespace(**given))

    shown = f"{text[0].upper()}{text[1:]}."
    command = click.Command(
        name,
        callback=callback,
        params=[*params, _URL, _KEY],
        help=shown,
        short_help=shown,
        epilog=f"Exit code: {codes}.",
    )
    cli.add_command(command)


_verb(
    "submit", submit.submit, "0 taken in, 2 refused or not asked; with --watch that of `job`",
    _argument("kind", metavar="KIND"),
    _argument("payload", metavar="JSON"),
    _option("--priority", "Which queue it takes.", type=click.Choice(("high", "normal", "low"))),
    _option("--not-before", "When it may start, such as 2026-03-16T09:00:00Z.", metavar="TIME"),
    _option("--dedupe-key", "The same key gets the first ticket, for the kind's dedupe time.", metavar="KEY"),
    _flag("--watch", "Go on until it has ended."),
    _seconds("--interval", "Between two looks.", 1.0), _JSON,
)  # fmt: skip
_verb("kinds", kinds.kinds, _ASKED, _JSON)
_verb(
    "jobs", jobs.list_jobs, _ASKED,
    _KIND, _option("--status", "Only in this state.", type=click.Choice(_STATES)), _SINCE,
    _option("--until", "Only before then: 1h, or a moment.", type=Moment()), _limit(), _JSON,
)  # fmt: skip
_verb(
    "job", jobs.one_job, "0 completed, 1 failed, 3 cancelled, 4 not ended yet, 2 if it could not be asked",
    _ID, _flag("--watch", "Go on until it has ended."), _seconds("--interval", "Between two looks.", 1.0), _JSON,
)  # fmt: skip
_verb("why", looking.why, _ASKED, _ID, _JSON)
_SOME = "0 all of them, 1 some were refused, 2 if it could not be asked"
_verb("cancel", acting.cancel, _SOME, _IDS, _JSON)
_verb("retry", acting.retry, _SOME, _IDS, _JSON)
_verb("discard", acting.discard, _SOME, _IDS, _option("--reason", "Why: it is kept.", required=True), _JSON)
_verb("pause", acting.pause, _ASKED, _argument("kind", metavar="KIND"), _option("--reason", "Why: it is shown."), _JSON)
_verb("resume", acting.resume, _ASKED, _argument("kind", metavar="KIND"), _JSON)
_verb(
    "workflow", workflow.workflow,
    "0 completed, or started; 1 failed, 3 cancelled, 4 not ended yet, 2 if it could not be asked",
    _argument("name", metavar="NAME", required=False), _argument("payload", metavar="JSON", required=False),
    _flag("--watch", "Draw the run until it has ended."), _seconds("--interval", "Between two looks.", 0.5), _JSON,
)  # fmt: skip
_verb(
    "event", workflow.event, "0, or 2 if it was refused or not asked",
    _ID, _argument("event", metavar="NAME"), _argument("content", metavar="JSON", required=False), _JSON,
)  # fmt: skip
_verb(
    "dead-letters", letters.dead_letters, _ASKED,
    _argument("id", metavar="ID", required=False), _flag("--list", "Each, in place of groups."), _KIND, _PRINT, _SINCE,
    _flag("--all", "Each, also what was replayed or discarded."), _limit(), _JSON,
)  # fmt: skip
_verb(
    "replay", replay.replay,
    "0 all replayed (or would be), 1 some refused, failed again, or not agreed to, 2 the app could not be asked",
    _argument("id", metavar="ID", required=False), _KIND, _PRINT, _SINCE,
    _flag("--dry-run", "Say what would happen, send nothing."),
    _flag("--yes", "Replay however many match, without asking first."),
    _seconds("--wait", "How long to look what becomes of them.", 30.0),
    _option("--payload", "Replay ID with the payload in this file (JSON).", type=click.Path(path_type=Path)),
    _option(
        "--effect", "How an effect of ID ended that asks about it; NAME=done:JSON gives its result. May be repeated.",
        multiple=True, metavar="NAME=done|not_done",
    ), _JSON,
)  # fmt: skip
_verb(
    "timers", timers.timers, "0, 1 if a timer is unhealthy, 2 if it could not be asked",
    _argument("name", metavar="NAME", required=False), _flag("--run", "Run NAME now."),
    _option("--scheduled-for", "With --run: make up the occurrence of this moment.", metavar="TIME"), _limit(30), _JSON,
)  # fmt: skip
_verb("queues", looking.queues, _ASKED, _JSON)
_verb("alarms", looking.alarms, "0, 1 if one is on, 2 if it could not be asked", _JSON)
_verb(
    "top", top.top, _ASKED,
    _seconds("--interval", "Between two looks.", 2.0), _flag("--once", "Look once, and end."), _JSON,
)  # fmt: skip
_verb(
    "drain", drain.drain, "0, 1 if something may still run, 2 if it could not be asked",
    _flag("--resume", "Let go on what a drain has paused."),
    _seconds("--timeout", "How long to wait.", 600.0), _seconds("--quiet", "How long nothing must have run.", 30.0),
    _seconds("--interval", "Between two looks.", 2.0),
)  # fmt: skip


@cli.command(
    "completion", help=f"{VERBS['completion'].capitalize()}.", epilog='For bash: eval "$(./dev.py completion bash)"'
)
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> int:
    """Print the script of a shell; for fish, `./dev.py completion fish | source`."""
    made = get_completion_class(shell)
    assert made is not None  # noqa: S101 - click knows these three
    click.echo(made(cli, {}, PROGRAM, COMPLETE).source())
    return 0


def main(arguments: Iterable[str], others: Mapping[str, str] | None = None) -> int:
    """Run one verb; return the exit code.

    Args:
        arguments: the command line.
        others: verbs of the same program that are not for operators, to be completed with these.
    """
    for name, text in (others or {}).items():
        if name not in cli.commands:
            cli.add_command(click.Command(name, help=text, params=[click.Argument(["rest"], nargs=-1)]))
    try:
        code = cli.main(list(arguments), PROGRAM, COMPLETE, standalone_mode=False)
        sys.stdout.flush()
        return int(code or 0)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except TroubleError as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        return 2
    except (click.Abort, KeyboardInterrupt):
        return 130
    except BrokenPipeError:
        return reader_gone()
