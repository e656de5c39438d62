"""Bytes to text, in blocks, with an error that says where a file is not what it claims to be."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

from multitag.errors import DataError

BLOCK_BYTES = 1 << 22
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def text_blocks(path: Path, encoding: str | None = None) -> Iterator[str]:
    """The text of a file, block by block, line ends as they stand (a lone CR becomes LF in a file without any
    LF).

    Args:
        path: The file.
        encoding: Its encoding. Without it UTF-8, or UTF-16 where the file opens with a byte order mark.

    Raises:
        DataError: The file cannot be read, is empty, is not in the encoding, or holds NUL characters.
    """
    old_mac, first = False, True
    for block in _decoded(path, encoding):
        if "\0" in block:
            raise DataError(
                f"{path}:{_line_of_nul(path, encoding)} holds a NUL character, so this is not a text table, or it is "
                f"UTF-16 without a byte order mark. Fix: save it as UTF-8, or give its encoding "
                f"(encoding='utf-16-le')."
            )
        if first:
            old_mac = "\r" in block and "\n" not in block
            first = False
        yield block.replace("\r", "\n") if old_mac else block


def read_text(path: Path, encoding: str | None = None) -> str:
    """The whole text of a file; errors as of `text_blocks`."""
    return "".join(text_blocks(path, encoding))


def _decoded(path: Path, encoding: str | None) -> Iterator[str]:
    try:
        with path.open("rb") as file:
            head = file.read(4)
            file.seek(0)
            if not head:
                raise DataError(f"{path} is empty: a table needs a header line and rows.")
            marked = next((name for mark, name in _MARKS if head.startswith(mark)), "utf-8")
            decoder = _decoder(encoding or marked)
            done = 0
            while True:
                block = file.read(BLOCK_BYTES)
                done += len(block)
                try:
                    text = decoder.decode(block, final=not block)
                except UnicodeDecodeError as error:
                    raise _not_in(path, encoding or marked, error, done) from error
                if text:
                    yield text
                if not block:
                    return
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist.") from error
    except IsADirectoryError as error:
        raise DataError(f"{path} is a folder, not a table.") from error
    except PermissionError as error:
        raise DataError(f"{path} cannot be opened: permission denied.") from error


def _decoder(encoding: str) -> codecs.IncrementalDecoder:
    try:
        return codecs.getincrementaldecoder(encoding)("strict")
    except LookupError as error:
        raise DataError(
            f"encoding {encoding!r} does not exist; usual ones are 'utf-8', 'latin-1', 'cp1252'."
        ) from error


def _line_of_nul(path: Path, encoding: str | None) -> int:
    # Lines are counted only where they are told: this is the second look at the file.
    line = 1
    for block in _decoded(path, encoding):
        line += block.count("\n", 0, block.index("\0") if "\0" in block else None)
        if "\0" in block:
            break
    return line


def _not_in(path: Path, encoding: str, error: UnicodeDecodeError, done: int) -> DataError:
    offset = done - len(error.object) + error.start
    byte = f"byte {offset} (0x{error.object[error.start]:02x})"
    return DataError(
        f"{path}:{_line_of_byte(path, encoding, offset)} is not {encoding.upper()}: {byte} cannot be decoded "
        f"({error.reason}). Accepted without asking: UTF-8, and UTF-16 with a byte order mark. "
        f"Fix: save the file as UTF-8, or give its encoding (encoding='latin-1', say)."
    )


def _line_of_byte(path: Path, encoding: str, offset: int) -> int:
    line, decoder = 1, _decoder(encoding)
    with path.open("rb") as file:
        while block := file.read(min(BLOCK_BYTES, offset - file.tell())):
            line += decoder.decode(block).count("\n")
    return line
