"""`dev.py worker`: the app's jobs without a Functions host, in processes of its own."""
