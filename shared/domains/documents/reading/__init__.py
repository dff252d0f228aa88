"""From bytes to text, one file a format. All of this runs in the sandbox, and nothing of it knows of jobs or storage."""
