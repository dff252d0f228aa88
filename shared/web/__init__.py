"""HTTP habits: problem details, bodies, ETags, paging, and how jobs look from outside."""
