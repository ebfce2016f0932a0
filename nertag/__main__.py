"""`python -m nertag`, and what the script `nertag` runs."""

from __future__ import annotations

import gc
import os
import sys

_NEW_OBJECTS = 100_000
"""How many more objects than before make Python look for unused ones: imports make that many, and all are used."""


def run() -> None:
    """Run the command line as a program."""
    gc.set_threshold(_NEW_OBJECTS, 20, 20)
    from nertag.cli import main

    code = main()
    # Taking the interpreter apart lasts as long as tagging many sentences, and nobody waits for it. What is loaded for
    # training may have something to do at the end.
    if not sys.modules.keys() & {"torch", "datasets", "huggingface_hub", "pyarrow"}:
        _leave(code)
    sys.exit(code)


def _leave(code: int) -> None:
    """End the process at once, unless something cannot be written."""
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except (OSError, ValueError):
        return
    os._exit(code)


if __name__ == "__main__":
    run()
