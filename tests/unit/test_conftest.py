from __future__ import annotations

import socket
import threading

import pytest


def test_other_machines_are_out_of_reach() -> None:
    with pytest.raises(RuntimeError, match="tried to look up 'example.com'"):
        socket.create_connection(("example.com", 80), timeout=1)
    with socket.socket() as client, pytest.raises(RuntimeError, match=r"tried to connect to \('192\.0\.2\.1', 80\)"):
        client.connect(("192.0.2.1", 80))


def test_loopback_is_within_reach() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        answer = threading.Thread(target=lambda: server.accept()[0].close())
        answer.start()
        with socket.create_connection(("localhost", port), timeout=5) as client:
            assert client.recv(1) == b""
        answer.join()
