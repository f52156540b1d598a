"""Decoded sequences of a data set, kept in memory up to a budget."""

from collections import OrderedDict
from collections.abc import Sequence as OrderedCollection
from pathlib import Path
from threading import Lock

from backsight.records.sequence import Sequence
from backsight.storage.read import read_sequence


class SequenceCache:
    """Reads sequences by position; the least recently used leave first when the budget is full.

    Several threads may read at once; two that miss the same sequence at the same time both decode it.
    """

    def __init__(self, root: Path, sequence_ids: OrderedCollection[str], budget_bytes: int = 8 * 2**30) -> None:
        self.root = root
        self.sequence_ids = tuple(sequence_ids)
        self.budget_bytes = budget_bytes
        self._held: OrderedDict[str, Sequence] = OrderedDict()
        self._held_bytes = 0
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self.sequence_ids)

    def __getitem__(self, index: int) -> Sequence:
        sequence_id = self.sequence_ids[index]
        with self._lock:
            if sequence_id in self._held:
                self._held.move_to_end(sequence_id)
                return self._held[sequence_id]
        sequence = read_sequence(self.root, sequence_id)
        with self._lock:
            self._hold(sequence_id, sequence)
        return sequence

    def _hold(self, sequence_id: str, sequence: Sequence) -> None:
        if sequence_id in self._held:
            return
        self._held[sequence_id] = sequence
        self._held_bytes += size_bytes(sequence)
        while self._held_bytes > self.budget_bytes and len(self._held) > 1:
            _, oldest = self._held.popitem(last=False)
            self._held_bytes -= size_bytes(oldest)


def size_bytes(sequence: Sequence) -> int:
    """Return the memory that a decoded sequence's images take."""
    size = sequence.rgb.nbytes + sequence.depth_m.nbytes + sequence.instance_ids.nbytes
    imagined = sequence.imagined
    return size if imagined is None else size + imagined.depth_m.nbytes + imagined.instance_ids.nbytes
