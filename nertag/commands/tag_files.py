"""What `nertag tag` does with files, folders and standard input: one output for all of them, or a file for each."""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from nertag import batch, console, sources, writers
from nertag._version import __version__
from nertag.batch import Identity, Item, Opened, Reading
from nertag.errors import ConfigError, InputError, NertagError
from nertag.notices import Notices
from nertag.pipeline import Marker, SectionResult
from nertag.progress import clock, counted, rounded
from nertag.run import Outcome, Run, Single, counts
from nertag.sections import ReadSettings
from nertag.tagging_progress import TaggingProgress
from nertag.workers import Job, count_cores, tag_sections

if TYPE_CHECKING:
    from nertag.outputs import NewFile
    from nertag.result_folder import ResultFolder
    from nertag.run import Destination, Status

_LARGE = 1 << 22
"""Bytes of input from which on it pays to start other processes."""

DONE, NOTHING_DONE, SOME_FAILED, INTERRUPTED = 0, 1, 3, 130
"""Exit codes, as the command line documents them."""

_HINT_TO_FORCE = "Choose another file; --force leaves it out of the inputs and writes over it."


@dataclass(frozen=True)
class Files:
    """Which files are tagged, and where the results go.

    Attributes:
        paths: Files, folders and `-`.
        files_from: A file with a list of further files; `-` is standard input, None is none.
        null: Whether NUL ends each path of the list.
        globs: Patterns of which a file in a folder has to match one; none lets all through.
        output: A file or a folder; None is standard output.
        force: Whether results that are there are made again, and files that are not ours are written over.
        report: The file for a report; None for none.
        quiet: Whether nothing but faults is told.
        key: The file with the key of pseudonyms, which is no input.
    """

    paths: Sequence[str] = ()
    files_from: str | None = None
    null: bool = False
    globs: Sequence[str] = ()
    output: str | None = None
    force: bool = False
    report: str | None = None
    quiet: bool = False
    key: str | None = None

    @cached_property
    def folder(self) -> str | None:
        """The folder that gets a file for each input; None if there is one output.

        It is what ends with a slash or is a folder, and what is not there yet and has no extension if there are folders
        or a list to tag.
        """
        if self.output is None:
            return None
        is_folder = self.output.endswith((os.sep, os.altsep or os.sep)) or os.path.isdir(self.output)
        many = self.files_from is not None or any(map(os.path.isdir, self.paths))
        new = not os.path.lexists(self.output) and not os.path.splitext(self.output)[1]
        return self.output if is_folder or (new and many) else None

    @property
    def file(self) -> str | None:
        """The file for all results; None for standard output or a folder."""
        return None if self.folder is not None else self.output


def tag_files(job: Job, reading: ReadSettings, files: Files, workers: int | None = None) -> int:
    """Tag files.

    Args:
        job: What is to be done with them.
        reading: How they are read.
        files: Which files, and where the results go.
        workers: How many processes tag; None for one per core if the input is large, and one otherwise.

    Returns:
        The exit code.

    Raises:
        NertagError: If nothing can be begun with.
    """
    listed, fault = _listed(files)
    items = _collect(job, files, listed)
    if not items and not fault:
        which = ", ".join(files.paths) or files.files_from or ""
        fault = InputError(f"there is nothing to tag: no file {'matches' if files.globs else 'is there'}", path=which)
    session = _Session(job, reading, files, items, workers, fault)
    if files.report is None:
        return session.run()
    report = _new_file(files.report)  # What cannot be written is to be known before the work.
    code = INTERRUPTED
    try:
        code = session.run()
    except NertagError:
        code = NOTHING_DONE
        raise
    finally:
        try:
            report.write(session.report(code))
            report.finish()
        finally:
            report.discard()
    return code


def _new_file(path: str) -> NewFile:
    """Return a file that will be written as a whole.

    Raises:
        NertagError: If it cannot be written.
    """
    from nertag.outputs import NewFile

    return NewFile(path)


# --- What is to be done -----------------------------------------------------------------------------------------------


def _listed(files: Files) -> tuple[list[str], NertagError | None]:
    """Return the paths that stand in the list of files, and why it cannot be read if it cannot: a report says that."""
    if files.files_from is None:
        return [], None
    try:
        return batch.read_list(files.files_from, null=files.null), None
    except InputError as fault:
        return [], fault


def _collect(job: Job, files: Files, listed: Sequence[str]) -> list[Item]:
    """Find the inputs, and check that no output is one of them.

    Args:
        job: As for `tag_files`.
        files: Likewise.
        listed: The paths in the list of files.

    Returns:
        The inputs.

    Raises:
        ConfigError: If an input is an output as well, or results would fall together.
    """
    if files.files_from == sources.STDIN and sources.STDIN in [*files.paths, *listed]:
        raise ConfigError("standard input cannot hold both the list of files and a text")
    paths = files.paths or ([sources.STDIN] if files.files_from is None else [])
    replaced = [path for path in (files.file, files.report) if path is not None]
    outputs = {path: batch.identities([path]) for path in [*replaced, job.settings.mapping] if path is not None}
    if files.output is None:
        outputs["standard output"] = _standard_output()
    own = batch.identities([files.folder, files.key, files.files_from]).union(*outputs.values())
    if not files.force:  # What is there and would be replaced may be a text like those around it.
        own -= batch.identities(replaced)
    folder = files.folder
    own -= batch.identities(paths)  # A folder may get its results itself.
    items = batch.collect(paths, listed, batch.Sieve(files.globs, own, folder, _results_in))
    named = batch.identities([*paths, *listed])
    for name, output in outputs.items():
        batch.check_output(items, output, name, None if output & named else _HINT_TO_FORCE)
    if folder is not None:
        batch.check_results(items, folder, _extension(job))
    return items


def _results_in(folder: str) -> set[str]:
    """Return which results earlier runs have written to a folder."""
    from nertag.manifest import results_in

    return results_in(folder)


def _standard_output() -> frozenset[Identity]:
    """Return which file standard output is, if it is one."""
    try:
        status = os.fstat(sys.stdout.fileno())
    except (AttributeError, OSError, ValueError):
        return frozenset()
    return frozenset({(status.st_dev, status.st_ino)} if stat.S_ISREG(status.st_mode) else ())


def _extension(job: Job) -> str:
    """Return what a result's name has beside its input's."""
    kind = job.settings.kind
    return f".{kind}" if kind != "names" else ".names.json" if job.settings.json else ".names.tsv"


# --- Doing it ---------------------------------------------------------------------------------------------------------


class _Session:
    """One run over files.

    Args:
        job: As for `tag_files`.
        reading: Likewise.
        files: Likewise.
        items: The inputs.
        workers: As for `tag_files`.
        fault: Why nothing can be begun with; None if that is still to be seen.
    """

    def __init__(
        self,
        job: Job,
        reading: ReadSettings,
        files: Files,
        items: Sequence[Item],
        workers: int | None,
        fault: NertagError | None = None,
    ) -> None:
        objects = sources.have_fields([item.path for item in items], reading) if files.folder is None else None
        self._job = replace(job, settings=replace(job.settings, objects=objects))
        self._read_settings = reading
        self._files = files
        self._items = items
        self._workers = workers
        self._unchanged: list[Outcome] = []
        self._run: Run | None = None
        self._fault = fault
        self._folder: ResultFolder | None = None
        unseen = files.output is None and console.results_are_seen()
        self._progress = TaggingProgress(quiet=files.quiet or unseen)
        self._notices = Notices()

    def run(self) -> int:
        """Tag everything.

        Returns:
            The exit code.

        Raises:
            NertagError: If nothing can be begun with.
            KeyboardInterrupt: If somebody interrupts it.
        """
        if self._fault:
            raise self._fault
        try:
            destination, items = self._prepare()
            self._progress.expect(len(items), sum(item.size for item in items))
            reading = Reading(items, self._read)
            self._run = Run(destination, self._tell, reading, self._progress, self._notice)
            self._run.take(self._results(reading, items))
        except KeyboardInterrupt:
            self._progress.hide()
            if self._folder:
                console.note(f"interrupted; {self._count()}. The same command goes on from there.")
            raise
        except NertagError as error:
            self._fault = error
            if not self._folder or not self._run:
                raise
            self._tell(error)
        finally:
            self._progress.hide()
        self._notices.finish()
        if not self._files.quiet and (self._folder or self._progress.was_shown):
            console.note(self._count())
        return self._code()

    def _prepare(self) -> tuple[Destination, Sequence[Item]]:
        """Make ready what is written to.

        Returns:
            That, and the inputs that are to be tagged.

        Raises:
            NertagError: If it cannot be written.
        """
        folder, job = self._files.folder, self._job
        if folder is not None:
            return self._prepare_folder(folder)
        sink = writers.make_sink(job.settings, console.draw_results)
        output = _new_file(self._files.file) if self._files.file is not None else console.Results()
        return Single(sink, output, in_rows=job.settings.kind != "parquet"), self._items

    def _prepare_folder(self, path: str) -> tuple[Destination, Sequence[Item]]:
        """Make an output folder ready, and leave out what is done.

        Returns:
            What writes there, and the inputs that are to be tagged.

        Raises:
            ConfigError: If results depend on one another, or somebody else's files are in the way.
            NertagError: If it cannot be written, or another run writes to it.
        """
        from nertag.manifest import Manifest
        from nertag.result_folder import ResultFolder
        from nertag.writers.pseudonyms import PseudonymSink

        settings = self._job.settings
        if settings.kind == "pseudonyms" and settings.key is None and settings.mapping is None:
            hint = "Give --mapping FILE, or --key FILE; or write everything to one file."
            raise ConfigError(
                "numbered pseudonyms in several files need a mapping, so that later runs agree", hint=hint
            )
        digest = self._digest()
        sink = writers.make_sink(self._settings_for(self._items[0]), console.draw_results)
        names = sink if isinstance(sink, PseudonymSink) else None
        manifest = Manifest(path)
        folder = ResultFolder(manifest, _extension(self._job), digest, self._new_sink, names)
        try:
            items = [item for item in self._items if self._files.force or not self._is_done(folder, item)]
            folder.claim([item for item in items if not item.fault], replace=self._files.force)
        except BaseException:
            manifest.close()
            raise
        self._folder = folder
        return folder, items

    def _digest(self) -> str:
        """Return a digest of everything but the inputs that decides about results."""
        from nertag import model_folder
        from nertag.manifest import settings_digest

        job = self._job
        settings = asdict(job.settings)
        if job.settings.mapping is not None:
            settings["mapping"] = os.path.abspath(job.settings.mapping)
        return settings_digest(
            {
                "version": __version__,
                "model": model_folder.digest(model_folder.find(job.model)),
                "threshold": job.threshold,
                "settings": settings,
                "reading": self._read_settings._asdict(),
            }
        )

    def _settings_for(self, item: Item) -> writers.OutputSettings:
        """Return what is written for one input: tables of it keep its fields, if it has any."""
        return replace(self._job.settings, objects=sources.have_fields([item.path], self._read_settings))

    def _new_sink(self, item: Item) -> writers.Sink:
        """Return the second half of the format for an input."""
        return writers.make_sink(self._settings_for(item), console.draw_results)

    def _is_done(self, folder: ResultFolder, item: Item) -> bool:
        """Whether an input's result is there; it is counted then."""
        if item.identity is None or not folder.is_done(Opened(item, batch.state_of(item.path))):
            return False
        outcome = Outcome(item)
        outcome.status = "unchanged"
        self._unchanged.append(outcome)
        return True

    def _read(self, path: str) -> Iterator[sources.Section | None]:
        """Read an input."""
        return sources.read([path], self._read_settings)

    def _results(self, reading: Reading, items: Sequence[Item]) -> Iterator[SectionResult | Marker | None]:
        """Yield what becomes of the inputs; no model is loaded if there is nothing to read."""
        if all(item.fault for item in items):
            yield from (marker for marker in reading if isinstance(marker, Marker))
            return
        size = sum(item.size for item in items)
        alone = 0 if self._workers or size >= _LARGE else _LARGE
        results = tag_sections(self._job, reading, self._workers or count_cores(), alone)
        if any(item.path == sources.STDIN for item in items) and sys.stdin is not None and sys.stdin.isatty():
            console.note("reading from the terminal; Ctrl-D on a line of its own ends the text")
        yield from results

    def _tell(self, error: NertagError) -> None:
        """Say what is wrong."""
        self._progress.hide()
        console.report(error)

    def _notice(self, result: SectionResult) -> None:
        """Say what is to be told of a section."""
        if result.notices:
            self._progress.hide()
            self._notices.add(*result.notices)

    # --- The end ------------------------------------------------------------------------------------------------------

    def _outcomes(self) -> list[Outcome]:
        """Return what became of all inputs, in their order."""
        found = {outcome.item.path: outcome for outcome in self._unchanged}
        found |= {outcome.item.path: outcome for outcome in (self._run.outcomes if self._run else ())}
        return [found.get(item.path) or Outcome(item) for item in self._items]

    def _code(self) -> int:
        """Return the exit code."""
        number = counts(self._outcomes())
        if not number["failed"] and not self._fault:
            return DONE
        return SOME_FAILED if number["done"] or number["unchanged"] else NOTHING_DONE

    def _count(self) -> str:
        """Say in one line what was done."""
        number = counts(self._outcomes())
        parts = [f"{number['done']:,} of {len(self._items):,} files tagged"]
        parts += [f"{number[status]:,} {status}" for status in _OTHERS if number[status]]
        seconds, tokens = self._progress.seconds, self._progress.tokens
        if tokens:
            parts[-1] += f"; {counted(tokens, 'token')}"
            parts += [
                f"{rounded(tokens / max(seconds, 1e-3))} a second",
                counted(self._progress.names, "name"),
                clock(seconds),
            ]
        return ", ".join(parts)

    def report(self, code: int) -> str:
        """Return the report as JSON, with a line for each input.

        Args:
            code: The exit code.
        """
        outcomes = self._outcomes()
        content = {
            "nertag": __version__,
            "model": self._job.model,
            "format": self._job.settings.kind,
            "exit_code": code,
            "error": None if self._fault is None else self._fault.message,
            "counts": counts(outcomes),
            "left_out": self._notices.skipped,
            "replaced": self._notices.replaced,
            "tokens": self._progress.tokens,
            "names": self._progress.names,
            "seconds": round(self._progress.seconds, 3),
        }
        head = "".join(f' "{name}": {json.dumps(value)},\n' for name, value in content.items())
        inputs = ",\n".join(f"  {json.dumps(self._entry(outcome))}" for outcome in outcomes)
        return f'{{\n{head} "inputs": [\n{inputs}\n ]\n}}\n'

    def _entry(self, outcome: Outcome) -> dict[str, object]:
        """Return what the report says of an input."""
        item, fault = outcome.item, outcome.fault
        entry: dict[str, object] = {"input": item.path, "status": outcome.status}
        if self._folder:
            entry["output"] = self._folder.path(item)
        if outcome.status == "done":
            entry |= {"tokens": outcome.tokens, "names": outcome.names}
        if fault is not None:
            entry |= {"error": fault.message, "line": fault.line, "hint": fault.hint}
        return entry


_OTHERS: tuple[Status, ...] = ("unchanged", "failed", "not tried")
