"""A clock that says which stage of a program its processor time goes to, without a word in the program itself."""

import time
from collections import Counter
from collections.abc import Callable, Generator
from functools import wraps
from typing import Any


class StageClock:
    """Counts processor time by stage; a stage within another one stops the clock of the outer."""

    def __init__(self) -> None:
        self.spent_ns: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()
        self._stack: list[str] = []
        self._since_ns = time.process_time_ns()

    def reset(self) -> None:
        """Forget what was counted; only outside of stages."""
        assert not self._stack, "the clock is reset within a stage"
        self.spent_ns.clear()
        self.calls.clear()
        self._since_ns = time.process_time_ns()

    def total_s(self) -> float:
        """Return the seconds since the last reset."""
        self._switch()
        return sum(self.spent_ns.values()) / 1e9

    def wrap(self, owner: Any, name: str, stage: str) -> None:
        """Count what a function takes.

        Args:
            owner: Module or class through which it is called.
            name: Of the function, there.
            stage: What it is called in the table. A stage that begins with '.' counts as a part of the one around it.
        """
        inner = vars(owner)[name]
        if isinstance(inner, property):
            assert inner.fget is not None
            setattr(owner, name, property(self.timed(inner.fget, stage)))
        else:
            setattr(owner, name, self.timed(inner, stage))

    def timed(self, inner: Callable[..., Any], stage: str) -> Callable[..., Any]:
        """Return a function with its time counted, as `wrap` does it.

        Args:
            inner: The function.
            stage: See `wrap`.
        """

        @wraps(inner)
        def timed(*given: Any, **named: Any) -> Any:
            label = stage
            if stage.startswith("."):
                group = self._stack[-1].split(":")[0] if self._stack else "the rest"
                label = f"{group}: {stage[1:]}"
            self._switch()
            self._stack.append(label)
            self.calls[label] += 1
            try:
                found = inner(*given, **named)
                # What a generator yields is worked out when it is asked for.
                return list(found) if isinstance(found, Generator) else found
            finally:
                self._switch()
                self._stack.pop()

        return timed

    def _switch(self) -> None:
        now_ns = time.process_time_ns()
        self.spent_ns[self._stack[-1] if self._stack else "the rest"] += now_ns - self._since_ns
        self._since_ns = now_ns
