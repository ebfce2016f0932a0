"""A process that another one started ends with it, and not at Ctrl-C."""

from __future__ import annotations

import multiprocessing
import os
import select
import signal
import sys
import time

import pytest

from nertag.children import obey_parent


def _start_another(begun: int) -> None:
    """Be the parent: start a child that obeys, and that says so before it sleeps."""

    def obey() -> None:
        obey_parent()
        os.kill(os.getpid(), signal.SIGINT)
        os.write(begun, b"!")
        time.sleep(600)

    multiprocessing.get_context("fork").Process(target=obey).start()
    time.sleep(600)


@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_child_outlives_ctrl_c_and_not_its_parent(number: signal.Signals) -> None:
    read, write = os.pipe()
    parent = multiprocessing.get_context("fork").Process(target=_start_another, args=(write,))
    parent.start()
    os.close(write)
    assert os.read(read, 1) == b"!"
    assert parent.pid and not select.select([read], [], [], 0.2)[0]
    os.kill(parent.pid, number)
    parent.join()
    assert select.select([read], [], [], 60)[0] and not os.read(read, 1)  # Nobody has the other end any more.
    os.close(read)
