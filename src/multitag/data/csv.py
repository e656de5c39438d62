"""CSV and TSV into chunks, every row as it was written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from multitag.data.chunk import Chunk
from multitag.data.csv_dialect import Dialect, Header, read_dialect, read_header, strict_dialect, unquoted
from multitag.data.csv_scan import scan
from multitag.data.csv_standard import Stretch, find_stretches
from multitag.data.csv_stretch import read_stretches
from multitag.data.encoding import text_blocks
from multitag.errors import DataError, faults_message


@dataclass(frozen=True, slots=True)
class CsvFile:
    """A CSV or TSV file whose header and dialect are known.

    Attributes:
        path: The file.
        encoding: Its encoding, if one was given.
        header: Its first line.
        dialect: How its rows are written.
        stretches: Where they are, if the file is RFC 4180 to the letter and can be read the fast way.
    """

    path: Path
    encoding: str | None
    header: Header
    dialect: Dialect
    stretches: tuple[Stretch, ...] | None = None

    @classmethod
    def open(cls, path: Path, encoding: str | None = None) -> CsvFile:
        """Look at the whole file once, without keeping it.

        Raises:
            DataError: The file is missing, empty, wrongly encoded, or has no usable header.
        """
        separator = "\t" if path.suffix.lower() == ".tsv" else None
        header = read_header(str(path), text_blocks(path, encoding), separator)
        stretches = find_stretches(path, header, encoding)
        if stretches is not None:
            return cls(path, encoding, header, strict_dialect(header), stretches)
        return cls(path, encoding, header, read_dialect(path.name, header, lambda: text_blocks(path, encoding)))

    def chunks(self) -> Iterator[Chunk]:
        """The rows, a few megabytes at a time.

        Raises:
            DataError: After the last good row, all lines that are no record, together.
        """
        if self.stretches is not None:
            return read_stretches(self.path, self.header, self.stretches)
        return self._scanned()

    def _scanned(self) -> Iterator[Chunk]:
        faults: list[str] = []
        rows = self.header.rows(text_blocks(self.path, self.encoding))
        for records in scan(rows, self.dialect.grammar, self.header.lines + 1, separator=self.header.separator):
            faults += [f"{self.path}:{line} {self._fault(text)}" for line, text in records.faulty]
            if records.lines and not faults:
                cells = [unquoted(column, self.dialect) for column in records.fields]
                columns = dict(zip(self.header.names, cells, strict=True))
                yield Chunk(columns, records.lines, f"{self.path.name}:")
        if faults:
            raise DataError(
                faults_message(
                    f"{len(faults)} lines of {self.path} are no rows of {len(self.header.names)} cells",
                    faults,
                    fix="Put a cell that holds the separator or a line break into double quotes.",
                )
            )

    def _fault(self, line: str) -> str:
        width, shown = len(self.header.names), line.strip()[:60]
        cells = line.count(self.header.separator) + 1
        if cells != width and '"' not in line:
            return f"has {cells} cells, the header {width}: {shown!r}"
        return f"cannot be read as {width} cells; is a quote or a separator missing? {shown!r}"
