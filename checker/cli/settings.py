"""Settings from `pacs-checker.toml`: one flat table, its keys named like the options, such as `fail-on = "medium"`.

They are the weakest: an environment variable wins over them, and a flag wins over both. The file holds no secret.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from checker.errors import UsageError

FILE = "pacs-checker.toml"

Value: TypeAlias = str | int | float | bool | list[str]

# The options that a file may set, as the parameters of the commands are called.
NAMES = frozenset(
    {
        "vantage", "output", "only", "skip", "assets", "ports", "fail_on", "fail_on_new", "rate", "concurrency",
        "depth", "quiet", "json", "matrix", "trust_store", "client_certificate", "client_key",
    }
)  # fmt: skip
_LISTS = frozenset({"only", "skip", "assets"})


@dataclass(frozen=True, slots=True)
class Settings:
    """What a settings file says, by the name of the parameter."""

    values: dict[str, Value]

    @classmethod
    def read(cls, path: str | None) -> Settings:
        """Read the named file, which must be there, or `pacs-checker.toml` where there is one.

        UsageError for a file that cannot be read, is no TOML, or has a key that no option is called.
        """
        file = Path(FILE if path is None else path)
        try:
            text = file.read_text(encoding="utf-8")
        except FileNotFoundError:
            if path is None:
                return cls({})
            message = f"{file}: there is no such settings file"
            raise UsageError(message) from None
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            message = f"{file}: the settings cannot be read: {reason}"
            raise UsageError(message) from None
        try:
            table = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            message = f"{file}: not valid TOML: {error}"
            raise UsageError(message) from None
        return cls(dict(_setting(file, key, found) for key, found in table.items()))


def _setting(file: Path, key: str, value: object) -> tuple[str, Value]:
    name = key.replace("-", "_")
    if name not in NAMES:
        known = ", ".join(sorted(known.replace("_", "-") for known in NAMES))
        message = f"{file}: {key}: no option is called so; known are {known}"
        raise UsageError(message)
    if isinstance(value, str) and name in _LISTS:
        return name, [value]
    if isinstance(value, str | int | float):
        return name, value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return name, value
    message = f"{file}: {key}: expected a text, a number, true or false, or a list of texts"
    raise UsageError(message)
