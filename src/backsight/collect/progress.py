"""How far a collection is: a bar on a terminal, a plain line every 30 seconds elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from backsight.collect.supervise import Progress

PLAIN_LINE_EVERY_S = 30.0


@contextmanager
def show_progress(console: Console) -> Iterator[Callable[[Progress], None]]:
    """Give a callback for `collect_dataset` that shows rate, time left, rejected and retried.

    Args:
        console: Where to; a terminal gets a bar.
    """
    if console.is_terminal:
        with _bar(console) as callback:
            yield callback
    else:
        yield _PlainLines(console).show


class _Rejections:
    """Counts rejected attempts from the results that pass by."""

    def __init__(self) -> None:
        self.count = 0

    def add(self, progress: Progress) -> None:
        self.count += len(getattr(progress.last_result, "rejections", ()))


@contextmanager
def _bar(console: Console) -> Iterator[Callable[[Progress], None]]:
    columns = (
        TextColumn("collecting"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[details]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    rejections = _Rejections()
    began_s = time.monotonic()
    with Bar(*columns, console=console) as bar:
        task = bar.add_task("collect", total=None, details="")

        def show(progress: Progress) -> None:
            rejections.add(progress)
            rate = 60.0 * progress.done / max(time.monotonic() - began_s, 1e-6)
            details = f"{rate:.1f}/min, {rejections.count} rejected, {progress.retried} retried"
            bar.update(task, total=progress.total, completed=progress.done + progress.poisoned, details=details)

        yield show


class _PlainLines:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._rejections = _Rejections()
        self._began_s = self._last_s = time.monotonic()

    def show(self, progress: Progress) -> None:
        self._rejections.add(progress)
        now_s = time.monotonic()
        if now_s - self._last_s < PLAIN_LINE_EVERY_S:
            return
        self._last_s = now_s
        rate = progress.done / (now_s - self._began_s)
        left = f"{(progress.total - progress.done) / rate / 60.0:.0f} min left" if rate > 0.0 else "time left unknown"
        self._console.print(
            f"collected {progress.done} of {progress.total}, {60.0 * rate:.1f}/min, {left}, "
            f"{self._rejections.count} rejected, {progress.retried} retried",
            highlight=False,
        )
