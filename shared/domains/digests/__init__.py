"""The weekly digest: suggestions for each user."""
