"""Bytes of the files of an inventory: read once, capped, hashed in order, and decoded as UTF-8 only."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

MIB: Final = 1 << 20
LARGEST_DOCUMENT: Final = 32 * MIB
LARGEST_TABLE: Final = 1024 * MIB
LARGEST_STORE: Final = 4 * MIB
LONGEST_LINE: Final = MIB
NOT_A_DIRECTORY: Final = "expected a file, not a directory"

# What neither YAML 1.2 (5.1) nor JSON nor a table may hold; a NUL says that the file is no text at all.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
_ZIP = b"PK\x03\x04"
_BOM = b"\xef\xbb\xbf"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_ONLY_WHAT_IS_NEEDED = "name the certificate, those above it, and its key alone"


class Unreadable(Exception):  # noqa: N818 - the reader of the file turns it into a fault
    """A file that cannot be read: `line` (0 for the whole file) and what is expected instead."""

    def __init__(self, expected: str, line: int = 0) -> None:
        super().__init__(expected)
        self.expected = expected
        self.line = line


class Sources:
    """The files read so far, as named, and the SHA-256 over all their bytes."""

    def __init__(self) -> None:
        self.files: list[str] = []
        self._hash = hashlib.sha256()
        self._seen: set[tuple[int, int]] = set()

    @property
    def sha256(self) -> str:
        """The digest in hexadecimal over the bytes of all files, in the order in which they were read."""
        return self._hash.hexdigest()

    def document(self, path: Path) -> str:
        """The text of a YAML or JSON file. Raises Unreadable."""
        with self._open(path, LARGEST_DOCUMENT, "use assets_from with CSV or JSON Lines for large inventories") as file:
            data = _read(file, LARGEST_DOCUMENT + 1)
        if len(data) > LARGEST_DOCUMENT:
            raise Unreadable(_too_large(LARGEST_DOCUMENT, "use assets_from with CSV or JSON Lines"))
        self._hash.update(data)
        _refuse_other_formats(data)
        data = data.removeprefix(_BOM)
        text = _decoded(data, 0, 1)
        control = _CONTROL.search(text)
        if control is not None:
            raise _control_character(control[0], text.count("\n", 0, control.start()) + 1)
        return text

    def lines(self, path: Path) -> Iterator[str]:
        """The lines of a CSV or JSON Lines file with their ends, read as they are asked for. Raises Unreadable."""
        update = self._hash.update
        search = _CONTROL.search
        number = offset = 0
        with self._open(path, LARGEST_TABLE, "split it") as file:
            while raw := _read_line(file):
                number += 1
                if offset == 0:
                    _refuse_other_formats(raw)
                if len(raw) > LONGEST_LINE:
                    raise Unreadable(f"expected lines of at most {LONGEST_LINE // MIB} MiB", number)
                update(raw)
                text = _decoded(raw.removeprefix(_BOM) if offset == 0 else raw, offset, number)
                control = search(text)
                if control is not None:
                    raise _control_character(control[0], number)
                offset += len(raw)
                if offset > LARGEST_TABLE:
                    raise Unreadable(_too_large(LARGEST_TABLE, "split it"))
                yield text

    def certificates(self, path: Path) -> bytes:
        """The bytes of a PEM file, which need be no text around its certificates. Raises Unreadable."""
        with self._open(path, LARGEST_STORE, "name only the authorities that you need", "certificates") as file:
            data = _read(file, LARGEST_STORE + 1)
        if len(data) > LARGEST_STORE:
            raise Unreadable(_too_large(LARGEST_STORE, "name only the authorities that you need"))
        self._hash.update(data)
        return data

    def _open(self, path: Path, largest: int, advice: str, wanted: str = "an inventory") -> BinaryIO:
        file = _opened(path)
        try:
            self._admit(os.fstat(file.fileno()), largest, advice, wanted)
        except Unreadable:
            file.close()
            raise
        self.files.append(str(path))
        return file

    def _admit(self, status: os.stat_result, largest: int, advice: str, wanted: str) -> None:
        _refuse_size(status, largest, advice, wanted)
        identity = (status.st_dev, status.st_ino)
        if identity in self._seen:
            raise Unreadable("expected each file once; this one was named before")
        self._seen.add(identity)


def read_plainly(path: Path) -> bytes:
    """The bytes of a PEM file that is no source of the inventory. Raises Unreadable."""
    with _opened(path) as file:
        return _whole(file, "certificates")


def read_key(path: Path) -> bytes:
    """The bytes of a PEM file with a private key, which nobody but its owner may read. Raises Unreadable."""
    with _opened(path) as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if mode & _OTHERS:
            raise Unreadable(f"expected a key that its owner alone may read, not one of mode {mode:04o}; chmod 0600 it")
        return _whole(file, "a private key")


def _opened(path: Path) -> BinaryIO:
    try:
        _refuse_other_kinds(path.stat().st_mode)
        # Not blocking, should it have become a pipe meanwhile.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    except FileNotFoundError:
        raise Unreadable("expected a file; there is none of this name") from None
    except PermissionError:
        raise Unreadable("expected a file that may be read") from None
    except ValueError:  # from Python itself, in words that change with its versions
        raise Unreadable("expected a file name without a NUL character") from None
    except OSError as error:
        raise Unreadable(f"expected a file that can be opened ({_reason(error)})") from None
    file = os.fdopen(descriptor, "rb")
    try:
        _refuse_other_kinds(os.fstat(descriptor).st_mode)
    except Unreadable:
        file.close()
        raise
    return file


def _whole(file: BinaryIO, wanted: str) -> bytes:
    _refuse_size(os.fstat(file.fileno()), LARGEST_STORE, _ONLY_WHAT_IS_NEEDED, wanted)
    data = _read(file, LARGEST_STORE + 1)
    if len(data) > LARGEST_STORE:
        raise Unreadable(_too_large(LARGEST_STORE, _ONLY_WHAT_IS_NEEDED))
    return data


def _refuse_size(status: os.stat_result, largest: int, advice: str, wanted: str) -> None:
    if status.st_size > largest:
        raise Unreadable(_too_large(largest, advice))
    if status.st_size == 0:
        raise Unreadable(f"expected {wanted}; the file is empty")


def is_directory(path: Path) -> bool:
    """Whether the path is known to be a directory."""
    try:
        return path.is_dir()
    except OSError:
        return False


def _read(file: BinaryIO, size: int) -> bytes:
    try:
        return file.read(size)
    except OSError as error:
        raise Unreadable(f"expected a file that can be read ({_reason(error)})") from None


def _read_line(file: BinaryIO) -> bytes:
    try:
        return file.readline(LONGEST_LINE + 1)
    except OSError as error:
        raise Unreadable(f"expected a file that can be read ({_reason(error)})") from None


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror or "input/output error").lower() if isinstance(error, OSError) else str(error)


def _refuse_other_kinds(mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise Unreadable(NOT_A_DIRECTORY)
    if not stat.S_ISREG(mode):
        raise Unreadable("expected an ordinary file, not a device or a pipe")


def _too_large(largest: int, advice: str) -> str:
    return f"expected a file of at most {largest // MIB} MiB; {advice}"


def _refuse_other_formats(data: bytes) -> None:
    if data.startswith(_ZIP):
        raise Unreadable("expected a text file, not a spreadsheet or an archive; export it as CSV")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Unreadable("expected UTF-8; this file looks like UTF-16", 1)


def _decoded(data: bytes, offset: int, line: int) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        at = error.start
        line += data.count(b"\n", 0, at)
        raise Unreadable(f"expected UTF-8; byte {offset + at} (0x{data[at]:02x}) is none", line) from None


def _control_character(character: str, line: int) -> Unreadable:
    if character == "\0":
        return Unreadable("expected a text file; a NUL byte says that this is a binary one", line)
    return Unreadable(f"expected text without control characters; there is U+{ord(character):04X}", line)
