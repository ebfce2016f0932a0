"""A Hugging Face Hub id in; the files of one split on disk out.

The files come to the Hub's own cache (`HF_HOME`), where other tools find them, too; with `HF_HUB_OFFLINE` they are
taken from it. `HF_ENDPOINT` and `HF_TOKEN` are respected, since everything goes through `huggingface_hub`.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from nertag.errors import DataError
from nertag.splits import check_config, choose_split, folder_files, list_files
from nertag.tables import DataFile

CONVERTED = "refs/convert/parquet"
# Ids without an owner are refused by now; these were in use and are known under their owner.
WELL_KNOWN = {
    "conll2002": "eriktks/conll2002",
    "conll2003": "eriktks/conll2003",
    "conllpp": "ZihanWangKi/conllpp",
    "germeval_14": "GermEval/germeval_14",
    "polyglot_ner": "rmyeid/polyglot_ner",
    "wikiann": "unimelb-nlp/wikiann",
    "wnut_17": "leondz/wnut_17",
}
# Seconds to wait after each failed attempt but the last.
_DELAYS = (1.0, 2.0, 4.0)
_PASSING_STATUS = (408, 429, 500, 502, 503, 504)
_ID = re.compile(r"(?P<repo>[\w.-]+(?:/[\w.-]+)?)(?::(?P<config>[^@]+))?(?:@(?P<revision>.+))?")
_CONVERTED_FILE = re.compile(r"(?P<config>.+)/(?P<split>[^/]+)/\d+\.parquet")

T = TypeVar("T")
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class HubSource:
    """A dataset on the Hub.

    Attributes:
        repo: Owner and name.
        config: The configuration; None for the only one or the default.
        revision: Branch, tag or commit; None for the newest.
    """

    repo: str
    config: str | None = None
    revision: str | None = None

    def __str__(self) -> str:
        """Return the id as the user may write it."""
        config = "" if self.config is None else f":{self.config}"
        return f"{self.repo}{config}" if self.revision is None else f"{self.repo}{config}@{self.revision}"


def parse_hub_id(source: str) -> HubSource | None:
    """Read `owner/name[:config][@revision]` or a well-known name without an owner; None for anything else."""
    match = _ID.fullmatch(source)
    if match is None:
        return None
    repo = WELL_KNOWN.get(match["repo"], match["repo"])
    return HubSource(repo, match["config"], match["revision"]) if "/" in repo else None


def hub_files(source: HubSource, split: str, say: Say, sleep: Callable[[float], None] = time.sleep) -> list[DataFile]:
    """Download the files of a split, or find them in the cache.

    A repository that is only a loading script is read from the Parquet conversion that the Hub keeps of it.

    Args:
        source: Which dataset.
        split: `train`, `validation` or `test`.
        say: Prints a notice.
        sleep: Waits so many seconds between attempts.

    Returns:
        The files, at least one.

    Raises:
        DataError: If there is no such repository, revision, configuration or split, if it may not be read, or if the
            Hub does not answer.
    """
    import huggingface_hub

    _hide_progress()
    if huggingface_hub.constants.HF_HUB_OFFLINE:
        return _cached_files(source, split, say)
    client = _Client(source, say, sleep)
    with _explained(source):
        names = client.file_names(source.revision)
        if f"{source.repo.split('/')[1]}.py" in names:
            return _converted_files(client, split)
        card = client.download("README.md") if "README.md" in names else None
        base = f"hf://datasets/{source.repo}@{client.commit}"
        listing = client.retry(lambda: list_files(base, card, source.config, source.repo))
        paths = client.retry(lambda: listing.files(split))
        return [DataFile(client.download(path), f"{source}/{path}", listing.class_names) for path in paths]


def _hide_progress() -> None:
    """Turn off the download bars unless standard error is a terminal."""
    if not sys.stderr.isatty():
        import datasets
        from huggingface_hub.utils.tqdm import disable_progress_bars

        datasets.disable_progress_bars()
        disable_progress_bars()


class _Client:
    """Talks to the Hub about one dataset, and repeats what failed in passing.

    Attributes:
        source: Which dataset.
        revision: The branch, tag or commit last asked for.
        commit: The commit that stood for.
    """

    def __init__(self, source: HubSource, say: Say, sleep: Callable[[float], None]) -> None:
        import huggingface_hub

        self.source = source
        self.say = say
        self._sleep = sleep
        self._api = huggingface_hub.HfApi(library_name="nertag")
        self.revision: str | None = None
        self.commit = ""

    def retry(self, call: Callable[[], T]) -> T:
        """Return what `call` does, trying again after a passing fault."""
        for delay in _DELAYS:
            try:
                return call()
            except Exception as error:
                if _passing_fault(error) is None:
                    raise
                self.say(f"{self.source}: {_passing_fault(error)}; trying again in {delay:g} seconds")
                self._sleep(delay)
        return call()

    def file_names(self, revision: str | None) -> list[str]:
        """Return the files of the repository at a revision, which downloads then come from."""
        info = self.retry(lambda: self._api.dataset_info(self.source.repo, revision=revision))
        self.revision, self.commit = revision, str(info.sha)
        if getattr(info, "gated", False):
            # Everyone may list the files of a gated dataset; this fails without access to them.
            self.retry(lambda: self._api.auth_check(self.source.repo, repo_type="dataset"))
        return [sibling.rfilename for sibling in info.siblings or ()]

    def download(self, path: str) -> Path:
        """Download a file, unless the cache has it, and return where it lies."""
        # By the revision's name, not its commit: so the cache knows what the name stood for when there is no network.
        return Path(
            self.retry(
                lambda: self._api.hf_hub_download(self.source.repo, path, repo_type="dataset", revision=self.revision)
            )
        )

    def revisions(self) -> list[str]:
        """Return the branches and tags of the repository."""
        refs = self.retry(lambda: self._api.list_repo_refs(self.source.repo, repo_type="dataset"))
        return [ref.name for ref in (*refs.branches, *refs.tags)]


def _converted_files(client: _Client, split: str) -> list[DataFile]:
    """Download a split of the Parquet conversion of a repository that is only a loading script."""
    source = client.source
    if source.revision is not None:
        raise DataError(
            f"revision {source.revision!r} is a loading script, which `datasets` no longer runs",
            hint=f"Leave out @{source.revision} to read the Parquet conversion of the newest revision.",
            path=str(source),
        )
    client.say(_converted_notice(source))
    try:
        names = client.file_names(CONVERTED)
    except Exception as error:
        if _in_chain(error, "RevisionNotFoundError") is None:
            raise
        raise DataError(
            "is a loading script, which `datasets` no longer runs, and the Hub has no Parquet conversion of it",
            hint="Look for a copy of the dataset in a data format.",
            path=str(source),
        ) from error
    return [DataFile(client.download(name), f"{source}/{name}") for name in _converted_split(source, names, split)]


def _converted_notice(source: HubSource) -> str:
    """Say that not the repository itself is read."""
    return f"{source}: a loading script, which `datasets` no longer runs; reading its Parquet conversion {CONVERTED}"


def _converted_split(source: HubSource, names: Sequence[str], split: str) -> list[str]:
    """Return the files of a split in a Parquet conversion, `config/split/0000.parquet`."""
    found = [match for name in sorted(names) if (match := _CONVERTED_FILE.fullmatch(name))]
    configs = list(dict.fromkeys(match["config"] for match in found))
    config = source.config or ("default" if "default" in configs or not configs else None)
    check_config(config, configs, source.repo)
    config = config or configs[0]
    splits = dict.fromkeys(match["split"] for match in found if match["config"] == config)
    name = choose_split(split, splits, f"{source}")
    return [match.string for match in found if (match["config"], match["split"]) == (config, name)]


# --- Without a network ------------------------------------------------------------------------------------------------


def _cached_files(source: HubSource, split: str, say: Say) -> list[DataFile]:
    """Return the files of a split from the Hub's cache.

    Raises:
        DataError: If they are not there.
    """
    folder = _cached_snapshot(source.repo, source.revision or "main")
    if folder is not None:
        return folder_files(folder, source.config, split, str(source))[0]
    folder = None if source.revision else _cached_snapshot(source.repo, CONVERTED)
    if folder is None:
        raise DataError(
            "not in the cache, and HF_HUB_OFFLINE is set",
            hint="Unset it to download the dataset.",
            path=str(source),
        )
    say(_converted_notice(source))
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*.parquet")]
    return [DataFile(folder / name, f"{source}/{name}") for name in _converted_split(source, names, split)]


def _cached_snapshot(repo: str, revision: str) -> Path | None:
    """Return the folder of a cached revision; None if there is none."""
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name

    cached = Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=repo, repo_type="dataset")
    reference = cached / "refs" / revision
    commit = reference.read_text(encoding="utf-8").strip() if reference.is_file() else revision
    folder = cached / "snapshots" / commit
    return folder if folder.is_dir() else None


# --- What went wrong --------------------------------------------------------------------------------------------------


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Go through an error and what caused it."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _in_chain(error: BaseException, *names: str) -> BaseException | None:
    """Return the first error of a chain of which a class has one of these names.

    By name, because the classes moved between releases of the libraries, and `datasets` wraps some of them.
    """
    for cause in _causes(error):
        if not {kind.__name__ for kind in type(cause).__mro__}.isdisjoint(names):
            return cause
    return None


def _passing_fault(error: BaseException) -> str | None:
    """Say what passing fault of the server or the line an error comes from; None if it is another error."""
    refused = _in_chain(error, "HfHubHTTPError", "HTTPStatusError")
    status = getattr(getattr(refused, "response", None), "status_code", None)
    if status is not None:
        return f"the Hub answered {status}" if status in _PASSING_STATUS else None
    dropped = _in_chain(error, "TransportError", "ConnectionError", "TimeoutError")
    if dropped is None or _in_chain(error, "OfflineModeIsEnabled"):
        return None
    return f"no connection to the Hub ({' '.join(str(dropped).split()) or type(dropped).__name__})"


@contextmanager
def _explained(source: HubSource) -> Iterator[None]:
    """Turn what the libraries raise into one sentence each."""
    try:
        yield
    except DataError:
        raise
    except Exception as error:
        explanation = _explanation(error, source)
        if explanation is None:
            raise
        raise explanation from error


def _explanation(error: Exception, source: HubSource) -> DataError | None:
    """Return the error to raise for an error of the libraries; None if it is none of those we know."""
    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
    if _in_chain(error, "GatedRepoError"):
        hint = f"Ask for access at {endpoint}/datasets/{source.repo} and set HF_TOKEN to a token that has it."
        return DataError("this dataset is gated, and you have no access to it", hint=hint, path=str(source))
    if _in_chain(error, "RevisionNotFoundError"):
        return _no_revision(source)
    if _in_chain(error, "RepositoryNotFoundError"):
        hint = f"Check the name at {endpoint}/datasets; for a private dataset set HF_TOKEN."
        return DataError("no such dataset on the Hub, or a private one", hint=hint, path=str(source))
    if fault := _passing_fault(error):
        attempts = len(_DELAYS) + 1
        hint = "Try again later, or set HF_HUB_OFFLINE=1 to use what was downloaded before."
        return DataError(f"{fault}, {attempts} times in a row", hint=hint, path=str(source))
    refused = _in_chain(error, "HfHubHTTPError")
    if refused is not None:
        return DataError(f"the Hub refused: {' '.join(str(refused).split())}", path=str(source))
    return None


def _no_revision(source: HubSource) -> DataError:
    """Return the error to raise for a missing revision, with those there are."""
    message = f"no revision {source.revision!r}"
    try:
        names = _Client(source, lambda notice: None, lambda seconds: None).revisions()
    except Exception:
        return DataError(message, path=str(source))
    return DataError(message, hint=f"There are: {', '.join(names)}.", path=str(source))
