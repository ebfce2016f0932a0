"""Results in the order of the inputs in; what is written, told and counted, out.

A run goes on after an input with a fault. What is wrong with its output ends it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol

from nertag.errors import InputError, NertagError
from nertag.pipeline import Marker, SectionResult
from nertag.writers import Sink

if TYPE_CHECKING:
    from nertag.batch import Closed, Item, Opened, Reading

    # Protocols are for type checkers alone, and take as long to make as some modules to load.
    class Output(Protocol):
        """Where results go."""

        def write(self, content: str | bytes) -> None:
            """Add text, or bytes as they are."""

        def flush(self) -> None:
            """Make everything written so far appear, if it appears before the end at all."""

        def finish(self) -> None:
            """Let the whole appear."""

        def discard(self) -> None:
            """Let nothing appear that has not yet."""

    class Destination(Protocol):
        """Where a run writes: all results to one output, or a file for each."""

        def open(self, opened: Opened) -> None:
            """Begin with an input."""

        def write(self, pieces: Iterable[Any]) -> None:
            """Write pieces of the input that was opened last."""

        def flush(self) -> None:
            """Make what was written appear, if it appears before the end at all."""

        def close(self) -> int:
            """End the input that was opened last, which was read as a whole.

            Returns:
                How many results are in their places now: the oldest of those that were not.
            """

        def fail(self) -> None:
            """End the input that was opened last, which has a fault."""

        def finish(self, any_read: bool) -> int:
            """End the run.

            Args:
                any_read: Whether an input was read as a whole.

            Returns:
                As for `close`.
            """

        def abandon(self) -> None:
            """Clean up, whatever happened."""

        def is_misfit(self, error: NertagError) -> bool:
            """Whether an error in writing concerns the input alone, so that others can be written."""

    class Watcher(Protocol):
        """Follows a run."""

        def advance(self, tokens: int, names: int, size: int) -> None:
            """Count a section, given its code points."""

        def end_input(self, size: int) -> None:
            """Count an input that is over, given its bytes."""


Status = Literal["done", "unchanged", "failed", "not tried"]


class Single:
    """One output for all inputs.

    Args:
        sink: The second half of the format.
        output: Where it goes.
        in_rows: Whether what does not fit is noticed at once, and not when others have gathered.
    """

    def __init__(self, sink: Sink, output: Output, *, in_rows: bool = True) -> None:
        self._sink = sink
        self._output = output
        self._in_rows = in_rows
        self._begun = False

    def open(self, opened: Opened) -> None:
        """Do nothing: pieces say where they come from, if the format has a place for it."""

    def write(self, pieces: Iterable[Any]) -> None:
        """Write pieces."""
        self._begin()
        for piece in pieces:
            self._output.write(self._sink.write(piece))

    def _begin(self) -> None:
        """Write what comes before the first piece, once."""
        if not self._begun:
            self._output.write(self._sink.begin())
        self._begun = True

    def flush(self) -> None:
        """Make what was written appear."""
        self._output.flush()

    def close(self) -> int:
        """End an input."""
        return 1

    def fail(self) -> None:
        """Keep what was written of an input before its fault."""

    def finish(self, any_read: bool) -> int:
        """Write what follows the last piece. A file is not written if no input could be read."""
        if any_read:
            self._begin()
        for content in self._sink.finish() if self._begun else ():
            self._output.write(content)
        if any_read:
            self._output.finish()
        else:
            self._output.flush()
            self._output.discard()
        return 0

    def abandon(self) -> None:
        """Leave no half of a file, and save what is to be saved, if there can be anything."""
        self._output.discard()
        if self._begun:
            self._sink.close()

    def is_misfit(self, error: NertagError) -> bool:
        """Whether the sink has refused a piece and is as it was before."""
        return self._in_rows and isinstance(error, InputError)


class Outcome:
    """What became of an input.

    Args:
        item: The input.
    """

    def __init__(self, item: Item) -> None:
        self.item = item
        self.status: Status = "not tried"
        self.fault: NertagError | None = None
        self.tokens = 0
        self.names = 0


class Run:
    """Takes the results of inputs to where they belong.

    Args:
        destination: Where that is.
        tell: Says what is wrong with an input.
        reading: Reads the inputs; None if there is but one.
        watcher: Follows the run; None if nobody does.
        notice: Takes results that have something to tell beside their pieces; None if nobody does.
    """

    def __init__(
        self,
        destination: Destination,
        tell: Callable[[NertagError], None],
        reading: Reading | None = None,
        watcher: Watcher | None = None,
        notice: Callable[[SectionResult], None] | None = None,
    ) -> None:
        self._destination = destination
        self._tell = tell
        self._reading = reading
        self._watcher = watcher
        self._notice = notice
        self._outcome: Outcome | None = None
        self._fault: NertagError | None = None
        self._whole: list[Outcome] = []  # Read, but not yet in their places.
        self.outcomes: list[Outcome] = []
        """What became of the inputs so far."""

    def take(self, results: Iterable[SectionResult | Marker | None]) -> None:
        """Take everything.

        Raises:
            NertagError: If the results cannot be written.
        """
        try:
            for result in results:
                if isinstance(result, SectionResult):
                    self._write(result)
                elif result is not None:
                    self._mark(result)
            any_read = not self._fault if self._reading is None else any(not each.fault for each in self.outcomes)
            self._settle(self._destination.finish(any_read))
        except NertagError as error:
            outcome = self._outcome
            if outcome and outcome not in self.outcomes[-1:]:
                outcome.status, outcome.fault = "failed", error
                self.outcomes.append(outcome)
            raise
        finally:
            self._destination.abandon()

    @property
    def has_fault(self) -> bool:
        """Whether the only input has a fault."""
        return self._fault is not None

    def _mark(self, marker: Marker) -> None:
        """Go from one input to the next."""
        from nertag.batch import Closed, Opened

        if isinstance(marker, Opened):
            self._open(marker)
        elif isinstance(marker, Closed):
            self._close(marker)

    def _open(self, opened: Opened) -> None:
        """Begin with an input."""
        self._fault = None
        self._outcome = Outcome(opened.item)
        try:
            self._destination.open(opened)
        except NertagError as error:
            self._blame(error)

    def _write(self, result: SectionResult) -> None:
        """Write what became of a section, unless its input has shown a fault before."""
        if self._fault:
            return
        if self._notice:
            self._notice(result)
        try:
            self._destination.write(result.pieces)
        except NertagError as error:
            self._blame(error)
            return
        self._destination.flush()
        if self._outcome:
            self._outcome.tokens += result.tokens
            self._outcome.names += result.names
        if self._watcher:
            self._watcher.advance(result.tokens, result.names, result.size)
        if result.fault:
            self._fail(result.fault)

    def _blame(self, error: NertagError) -> None:
        """Take an error in writing for the input's fault.

        Raises:
            NertagError: If it is not.
        """
        if not self._destination.is_misfit(error):
            raise error
        self._fail(error)

    def _fail(self, fault: NertagError) -> None:
        """Say what is wrong with an input, of which no more is read."""
        self._fault = fault
        if self._outcome and self._reading:
            self._reading.give_up(self._outcome.item)
        self._destination.flush()
        self._tell(fault)

    def _close(self, closed: Closed) -> None:
        """End an input."""
        outcome = self._outcome
        assert outcome is not None
        if closed.fault and not self._fault:
            self._fail(closed.fault)
        placed = 0
        if not self._fault:
            try:
                placed = self._destination.close()
            except NertagError as error:
                self._blame(error)
        self.outcomes.append(outcome)
        if self._fault:
            outcome.status, outcome.fault = "failed", self._fault
            self._destination.fail()
        else:
            self._whole.append(outcome)
        self._settle(placed)
        if self._watcher:
            self._watcher.end_input(closed.item.size)

    def _settle(self, placed: int) -> None:
        """Count the results that are in their places."""
        for outcome in self._whole[:placed]:
            outcome.status = "done"
        del self._whole[:placed]


def counts(outcomes: Sequence[Outcome]) -> dict[Status, int]:
    """Return how many inputs have each status."""
    found: dict[Status, int] = {"done": 0, "unchanged": 0, "failed": 0, "not tried": 0}
    for outcome in outcomes:
        found[outcome.status] += 1
    return found
