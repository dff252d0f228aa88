"""The domains: everything of each in one folder."""
