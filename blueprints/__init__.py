"""The triggers: decode, call one function of `shared`, encode. No logic."""
