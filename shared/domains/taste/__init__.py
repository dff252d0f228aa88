"""Taste: what a user likes and needs, learnt from feedback on items.

feedback (the request and the job) -> analysis (what the item is) -> evidence (one document per signal) -> profile (the
fold of a user's evidence), ranked at read time against the prior (what all users like).
"""
