"""`dev.py demo`: the app at work on this machine, through its public HTTP API alone."""
