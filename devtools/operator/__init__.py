"""The operator's command line: verbs of `dev.py` that talk to a running app, here or in Azure, over HTTP alone."""

VERBS = {
    "submit": "submit a job of a public kind",
    "kinds": "list the kinds of jobs, and which are paused",
    "jobs": "list jobs",
    "job": "show one job, or watch it to its end",
    "why": "say why a job is not running, and what to do",
    "cancel": "cancel jobs",
    "retry": "try failed jobs again",
    "workflow": "list the workflows, start a run of one, or draw a run",
    "event": "tell a run of an event",
    "dead-letters": "show what gave up: grouped by what it looks like, listed, or one",
    "replay": "put dead letters back on their queue",
    "discard": "set dead letters aside: they and their jobs may expire",
    "timers": "show the timers, one's occurrences, or run one by hand",
    "queues": "show the queues and how deep they are",
    "alarms": "show the alarms, and which are on",
    "top": "show what goes on, live",
    "pause": "let no further attempt of a kind start",
    "resume": "let a paused kind go on",
    "drain": "let no further attempt start, and wait until none runs",
    "completion": "print what makes a shell complete all this",
}
"""Each verb, and what it does to a running app. Said here so that `dev.py --help` can list them before anything is installed."""
