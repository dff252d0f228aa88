"""Dead letters: the vault that keeps them, how they come into it, and how they are replayed."""
