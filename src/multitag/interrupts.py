"""Ctrl-C at a place where nothing is half done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from multitag.errors import MultitagError


class Interrupted(MultitagError):
    """Work was stopped by Ctrl-C; what was done is kept where the message says."""

    exit_code = 130


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Ctrl-C waits for the end of the block, and is then dealt with as it would have been.

    Only the main thread receives signals; in others the block simply runs.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    waiting: list[FrameType | None] = []
    handler = signal.signal(signal.SIGINT, lambda number, frame: waiting.append(frame))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL if handler is None else handler)
    if waiting and callable(handler):
        handler(signal.SIGINT, waiting[0])


@contextmanager
def heeded() -> Iterator[Callable[[], bool]]:
    """Ctrl-C is for the block itself: it asks whether it was pressed, and brings its work to an end.

    Pressed once more, it is dealt with as it would have been. Where it is ignored, or in another thread than the main
    one, nobody presses it.
    """
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        yield lambda: False
        return
    pressed = False

    def hear(number: int, frame: FrameType | None) -> None:
        nonlocal pressed
        if pressed and callable(handler):
            handler(number, frame)
        pressed = True

    handler = signal.signal(signal.SIGINT, hear)
    try:
        yield lambda: pressed
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL if handler is None else handler)
