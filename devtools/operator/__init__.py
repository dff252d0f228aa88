"""The operator's command line: verbs of `dev.py` that talk to a running app, here or in Azure, over HTTP alone.

Standard library only: they need no set-up.
"""
