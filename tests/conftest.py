"""What every test runs under: no network but loopback, a stable environment, one hypothesis profile."""

from __future__ import annotations

import os
import signal
import socket
import tempfile
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

# Read by libraries when they are imported, so set before any test module is. Colours and widths must not depend on the
# terminal that the tests were started from, nor the Hub on the user's token and cache.
for name in ("FORCE_COLOR", "NO_COLOR", "PY_COLORS", "GITHUB_ACTIONS", "COLUMNS", "LINES", "TERM_PROGRAM"):
    os.environ.pop(name, None)
for name in [name for name in os.environ if name.startswith(("HF_", "HUGGING_FACE_", "NERTAG_"))]:
    del os.environ[name]
_home = tempfile.TemporaryDirectory(prefix="nertag-tests-")
os.environ["HF_HOME"] = _home.name
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["MPLBACKEND"] = "Agg"

# A job started in the background of a shell, as CI may be, ignores Ctrl-C, and so would the programs that tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")

_LOOPBACK = ("127.", "::1", "localhost")


def _is_near(address: object) -> bool:
    """Whether a socket address stays on this machine: loopback, or a path of a Unix socket."""
    if not isinstance(address, tuple):
        return True
    return str(address[0]).startswith(_LOOPBACK)


@pytest.fixture(autouse=True, scope="session")
def _no_network() -> Iterator[None]:
    """Let a test that leaves the machine fail, with an error that no retry loop takes for a network fault."""
    with pytest.MonkeyPatch.context() as patch:
        for method in ("connect", "connect_ex"):
            real = getattr(socket.socket, method)

            def guarded(self: socket.socket, address: Any, real: Any = real) -> Any:
                if not _is_near(address):
                    raise RuntimeError(f"a test tried to connect to {address!r}")
                return real(self, address)

            patch.setattr(socket.socket, method, guarded)
        resolve = socket.getaddrinfo

        def guarded_resolve(host: Any, *arguments: Any, **options: Any) -> Any:
            if host is not None and not _is_near((host if isinstance(host, str) else host.decode(),)):
                raise RuntimeError(f"a test tried to look up {host!r}")
            return resolve(host, *arguments, **options)

        patch.setattr(socket, "getaddrinfo", guarded_resolve)
        yield
