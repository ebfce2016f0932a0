"""What a process does first that another one started to share its work: it ends with that one, and not before."""

from __future__ import annotations

import os
import signal
import threading


def obey_parent() -> None:
    """Leave Ctrl-C to the process that started this one, and end with it however that ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True, name="nertag-watch").start()


def _end_with_parent() -> None:
    """Wait for the first process to end, and end this one then."""
    from multiprocessing import connection, parent_process

    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
