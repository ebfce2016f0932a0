"""A Hugging Face Hub on the loopback interface: the part of its API that reading datasets needs.

Repositories are dictionaries of revision to path to bytes. Faults can be ordered for the next requests.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

Revisions = Mapping[str, Mapping[str, bytes]]


@dataclass
class Repository:
    """A dataset: its files by revision, and who may read them."""

    revisions: Revisions
    gated: bool = False
    private: bool = False

    def commit(self, revision: str) -> str:
        """The commit that a revision, or a commit itself, stands for; empty if there is none."""
        commits = {name: hashlib.sha1(name.encode()).hexdigest() for name in self.revisions}
        return revision if revision in commits.values() else commits.get(revision, "")

    def files(self, revision: str) -> Mapping[str, bytes]:
        commit = self.commit(revision)
        return next(files for name, files in self.revisions.items() if self.commit(name) == commit)


@dataclass
class Hub:
    """What the server serves, and what it was asked."""

    repositories: dict[str, Repository] = field(default_factory=dict)
    faults: list[int] = field(default_factory=list)  # Answers for the next requests; 0 drops the connection.
    requests: list[str] = field(default_factory=list)
    token: str = "hf_good"


def start(hub: Hub) -> tuple[ThreadingHTTPServer, str]:
    """Serve in a thread of its own; returns the server and its address."""
    handler = type("BoundHandler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}"


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *arguments: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.hub.requests.append(f"{self.command} {self.path}")
        if self.hub.faults:
            fault = self.hub.faults.pop(0)
            if not fault:
                self.close_connection = True
                self.connection.close()
                return
            self._send(fault, b"", {})
            return
        parts = urlsplit(self.path)
        path = parts.path
        if path.startswith("/api/datasets/"):
            owner, name, *rest = path.removeprefix("/api/datasets/").split("/")
            self._api(f"{owner}/{name}", [unquote(part) for part in rest], body)
        elif path.startswith("/datasets/") and "/resolve/" in path:
            owner, name, _, revision, *rest = path.removeprefix("/datasets/").split("/")
            self._resolve(f"{owner}/{name}", unquote(revision), unquote("/".join(rest)))
        else:
            self._refuse(404, "EntryNotFound", "no such page")

    def _is_known(self) -> bool:
        return self.headers.get("Authorization") == f"Bearer {self.hub.token}"

    def _repository(self, name: str) -> Repository | None:
        repository = self.hub.repositories.get(name)
        if repository is None or (repository.private and not self._is_known()):
            self._refuse(404 if self._is_known() else 401, "RepoNotFound", "Repository not found")
            return None
        return repository

    def _api(self, name: str, rest: list[str], body: bytes) -> None:
        repository = self._repository(name)
        if repository is None:
            return
        what = rest[0] if rest else "revision"
        if what == "refs":
            refs = [
                {"name": name, "ref": f"refs/heads/{name}", "targetCommit": "0" * 40} for name in repository.revisions
            ]
            self._json(
                {"branches": [ref for ref in refs if "refs/" not in str(ref["name"])], "converts": [], "tags": []}
            )
            return
        if what == "auth-check":
            if repository.gated and not self._is_known():
                self._refuse(403, "GatedRepo", "Access to this dataset is restricted")
            else:
                self._json({})
            return
        revision = rest[1] if len(rest) > 1 else "main"
        if not repository.commit(revision):
            self._refuse(404, "RevisionNotFound", "Invalid rev id")
            return
        files = repository.files(revision)
        if what == "revision":
            siblings = [{"rfilename": path} for path in sorted(files)]
            self._json(
                {
                    "id": name,
                    "sha": repository.commit(revision),
                    "siblings": siblings,
                    "private": repository.private,
                    "gated": "manual" if repository.gated else False,
                    "tags": [],
                    "downloads": 0,
                    "likes": 0,
                }
            )
        elif what == "tree":
            self._json(_tree(files, "/".join(rest[2:]), "recursive=True" in self.path or "recursive=true" in self.path))
        elif what == "paths-info":
            self._json(_paths_info(files, _paths_of(body)))
        else:
            self._refuse(404, "EntryNotFound", f"no {what}")

    def _resolve(self, name: str, revision: str, path: str) -> None:
        repository = self._repository(name)
        if repository is None:
            return
        if repository.gated and not self._is_known():
            self._refuse(403, "GatedRepo", "Access to this dataset is restricted")
            return
        commit = repository.commit(revision)
        if not commit:
            self._refuse(404, "RevisionNotFound", "Invalid rev id")
            return
        content = repository.files(revision).get(path)
        if content is None:
            self._refuse(404, "EntryNotFound", "Entry not found", {"X-Repo-Commit": commit})
            return
        self._send(200, content, {"ETag": f'"{_blob_id(content)}"', "X-Repo-Commit": commit})

    def _json(self, value: object) -> None:
        self._send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _refuse(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        self._send(status, b"", {"X-Error-Code": code, "X-Error-Message": message, **(headers or {})})

    def _send(self, status: int, content: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


def _blob_id(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()


def _file_entry(path: str, content: bytes) -> dict[str, object]:
    return {"type": "file", "path": path, "size": len(content), "oid": _blob_id(content)}


def _folder_entry(path: str) -> dict[str, object]:
    return {"type": "directory", "path": path, "oid": hashlib.sha1(path.encode()).hexdigest(), "size": 0}


def _tree(files: Mapping[str, bytes], folder: str, recursive: bool) -> list[dict[str, object]]:
    prefix = f"{folder}/" if folder else ""
    entries: dict[str, dict[str, object]] = {}
    for path, content in files.items():
        if not path.startswith(prefix):
            continue
        steps = path.removeprefix(prefix).split("/")
        depth = len(steps) if recursive else 1
        for length in range(1, depth + 1):
            there = prefix + "/".join(steps[:length])
            entries[there] = _file_entry(path, content) if there == path else _folder_entry(there)
    return [entries[path] for path in sorted(entries)]


def _paths_of(body: bytes) -> list[str]:
    text = body.decode()
    return json.loads(text)["paths"] if text.startswith("{") else parse_qs(text).get("paths", [])


def _paths_info(files: Mapping[str, bytes], paths: list[str]) -> list[dict[str, object]]:
    entries = []
    for path in paths:
        if path in files:
            entries.append(_file_entry(path, files[path]))
        elif any(name.startswith(f"{path}/") for name in files):
            entries.append(_folder_entry(path))
    return entries
