"""Sections in; their results out in the same order, whoever tags them: this process or several others.

Processes, not threads: most of the work outside the graph is Python's. They are forked where that is safe, and share
what is in memory then: the model, whose session of ONNX Runtime has no threads that a fork would lose, and the forms
that have been met. Elsewhere each of them loads the model.
"""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nertag.errors import NertagError
from nertag.pipeline import Marker, SectionResult, SectionTagger
from nertag.sections import Section
from nertag.writers import OutputSettings

if TYPE_CHECKING:
    from concurrent.futures import Future, ProcessPoolExecutor

_AHEAD = 3  # Sections for every worker that may be under way or wait to be written.
_MOST_ON_WINDOWS = 61  # Processes that Windows lets one wait for.

_Sections = Iterator["Section | Marker | None"]
_Results = Iterator["SectionResult | Marker | None"]


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be done with every section; it can be pickled.

    Attributes:
        model: A shipped model's name, a model folder or a Hub id.
        threshold: The least probability at which a token is put into a mention; None for the likeliest tags.
        settings: What is to be written.
    """

    model: str
    threshold: float | None
    settings: OutputSettings

    def start(self) -> SectionTagger:
        """Load the model.

        Returns:
            What tags sections.

        Raises:
            ModelError: If it cannot be loaded.
        """
        from nertag import tagger

        return SectionTagger(tagger.load(self.model, self.threshold), self.settings)


def count_cores() -> int:
    """Return how many processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def tag_sections(job: Job, sections: Iterable[Section | Marker | None], workers: int, alone: int = 0) -> _Results:
    """Tag sections.

    Args:
        job: What is to be done with them.
        sections: Sections, markers among them, and None where the input pauses.
        workers: Processes to tag in; 1 is this one.
        alone: Code points to tag in this process before others are started.

    Returns:
        A result for every section, and every marker as it is, in order; None where the input pauses, after the results
        of all that came before.
        If the input has a fault, it is raised after the results of all that came before it. A `NertagError` is raised,
        too, if a worker dies.

    Raises:
        ModelError: If the model cannot be loaded.
    """
    tag_section = job.start()  # Also if only others tag: what is wrong with the model is said at once.
    stream = iter(sections)
    if workers == 1:
        return (tag_section(section) if isinstance(section, Section) else section for section in stream)
    return _tag_here_then_elsewhere(job, tag_section, stream, workers, alone)


def _tag_here_then_elsewhere(
    job: Job, tag_section: SectionTagger, sections: _Sections, workers: int, alone: int
) -> _Results:
    """Tag a while in this process and the rest in others."""
    while alone > 0:
        try:
            section = next(sections)
        except StopIteration:
            return
        if isinstance(section, Section):
            yield tag_section(section)
            alone -= section.size
        else:
            yield section
    yield from _tag_in_processes(job, tag_section, sections, workers)


def _tag_in_processes(job: Job, tag_section: SectionTagger, sections: _Sections, workers: int) -> _Results:
    """Tag sections in other processes, reading no more of the input than keeps them busy."""
    from concurrent.futures.process import BrokenProcessPool

    pool = _start(job, tag_section, workers)
    pending: deque[Future[SectionResult] | Marker] = deque()
    fault: NertagError | None = None
    try:
        while True:
            try:
                section = next(sections)
            except StopIteration:
                break
            except NertagError as error:
                fault = error
                break
            if section is not None:
                pending.append(pool.submit(_tag_here, section) if isinstance(section, Section) else section)
            while pending and (section is None or len(pending) > _AHEAD * workers or _is_done(pending[0])):
                yield _result_of(pending.popleft())
            if section is None:
                yield None
        while pending:
            yield _result_of(pending.popleft())
    except BrokenProcessPool:
        message = "a worker process was ended from outside, as it happens when memory runs out"
        raise NertagError(message, hint="Use fewer --workers.") from None
    finally:
        pool.shutdown(cancel_futures=True)
    if fault:
        raise fault


def _is_done(pending: Future[SectionResult] | Marker) -> bool:
    """Whether a result is there without waiting."""
    return isinstance(pending, Marker) or pending.done()


def _result_of(pending: Future[SectionResult] | Marker) -> SectionResult | Marker:
    """Return a result, when it is there."""
    return pending if isinstance(pending, Marker) else pending.result()


def _start(job: Job, tag_section: SectionTagger, workers: int) -> ProcessPoolExecutor:
    """Start worker processes."""
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    # Elsewhere the libraries of the system do not bear being forked, or nothing can be.
    forks = sys.platform == "linux"
    context = multiprocessing.get_context("fork" if forks else "spawn")
    if sys.platform == "win32":
        workers = min(workers, _MOST_ON_WINDOWS)
    given = (job, tag_section if forks else None)
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_settle, initargs=given)


# --- In a worker ------------------------------------------------------------------------------------------------------

_job: Job | None = None
_tag_section: SectionTagger | None = None


def _settle(job: Job, tag_section: SectionTagger | None) -> None:
    """Prepare a new worker: it leaves Ctrl-C to the first process, and ends with it however that ends.

    Args:
        job: What is to be done.
        tag_section: What does it, if that came along with the fork.
    """
    from nertag.children import obey_parent

    global _job, _tag_section
    _job, _tag_section = job, tag_section
    obey_parent()


def _tag_here(section: Section) -> SectionResult:
    """Tag a section in a worker, which loads the model for its first one if it has none."""
    global _tag_section
    if _tag_section is None:
        assert _job is not None
        _tag_section = _job.start()
    return _tag_section(section)
