"""A clock that says which stage of a program its processor time goes to, without a word in the program itself."""

import time
from collections import Counter
from collections.abc import Callable
from functools import wraps
from typing import Any


class StageClock:
    """Counts processor time by stage; a stage within another one stops the clock of the outer."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()
        self._stack: list[str] = []
        self._since_s = time.process_time()

    def reset(self) -> None:
        """Forget what was counted; only outside of stages."""
        assert not self._stack, "the clock is reset within a stage"
        self.seconds.clear()
        self.calls.clear()
        self._since_s = time.process_time()

    def total_s(self) -> float:
        """Return the time since the last reset."""
        self._switch()
        return sum(self.seconds.values())

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
                return inner(*given, **named)
            finally:
                self._switch()
                self._stack.pop()

        return timed

    def _switch(self) -> None:
        now_s = time.process_time()
        self.seconds[self._stack[-1] if self._stack else "the rest"] += now_s - self._since_s
        self._since_s = now_s
