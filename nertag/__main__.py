"""`python -m nertag`."""

from nertag.cli import run

run()
