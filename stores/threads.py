"""Threads whose work belongs to whoever asked for it: its logs and its traces say so."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Threads(ThreadPoolExecutor):
    """A pool that runs each call in the context of its caller, as asyncio does for its tasks."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Return the future of a call, which sees the caller's context variables as they are now."""
        return super().submit(partial(copy_context().run, fn, *args, **kwargs))
