"""Tools for working on Nightshift; `dev.py` sets up what they need and runs them. Nothing here is deployed."""
