"""`dev.py new`: the files of a new kind of job, timer or domain, from templates."""
