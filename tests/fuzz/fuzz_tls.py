#!/usr/bin/env python
"""Feeds the TLS codec what nobody thought of. It needs atheris, and the root of the repository in PYTHONPATH.

`PYTHONPATH=. tests/fuzz/fuzz_tls.py tests/fuzz/corpus/tls -max_total_time=600 -max_len=4096` runs for ten minutes. What
it finds worth keeping it adds to the corpus, which the ordinary tests replay without atheris. The corpus is made small
again with `PYTHONPATH=. tests/fuzz/fuzz_tls.py -merge=1 NEW_FOLDER tests/fuzz/corpus/tls`.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["checker.codecs"]):
    from tests.fuzz.tls_target import check


def main() -> None:
    """Run until libFuzzer's arguments say to stop, or something fails."""
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
