"""Batches built ahead, in the background, in the sampler's order."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Generic, TypeVar

from backsight.data.sampler import Draw, EpochSampler, SamplerState

Built = TypeVar("Built")


class BatchesAhead(Generic[Built]):
    """Builds the next batches while the model works on this one; use it in a `with` statement.

    The batches and their order are those of the sampler, whatever the number of threads; threads and not processes,
    since nearly all of the work is numpy's, which lets go of the interpreter, and the decoded walks are shared.

    Args:
        build: of a batch from its draws; safe to call from several threads.
        sampler: asked for draws; it runs ahead of what `next` has returned, by `ahead` batches.
        batch_size: samples on each rank.
        rank: of this process.
        ranks: number of processes.
        ahead: batches that are being built or are ready; also the number of threads.
    """

    def __init__(
        self,
        build: Callable[[list[Draw]], Built],
        sampler: EpochSampler,
        batch_size: int,
        rank: int = 0,
        ranks: int = 1,
        ahead: int = 1,
    ) -> None:
        self._build, self._sampler = build, sampler
        self._shares = (batch_size, rank, ranks)
        self._threads = ThreadPoolExecutor(ahead, thread_name_prefix="batches")
        self._ready: deque[tuple[Future[Built], SamplerState]] = deque()
        for _ in range(ahead):
            self._order()

    def __enter__(self) -> "BatchesAhead[Built]":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)

    def next(self) -> tuple[Built, SamplerState]:
        """Return the next batch and where the sampler stood after it: what a checkpoint must hold.

        Raises:
            DataError: what building the batch raised.
        """
        future, state = self._ready.popleft()
        self._order()
        return future.result(), state

    def _order(self) -> None:
        draws = self._sampler.next_batch(*self._shares)
        self._ready.append((self._threads.submit(self._build, draws), self._sampler.state))
