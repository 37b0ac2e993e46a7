"""What a fuzzer found worth keeping, replayed without the fuzzer: every input still holds what `check` says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.tls_target import MODES, check

CORPUS = sorted((Path(__file__).parents[1] / "fuzz" / "corpus" / "tls").iterdir())
MOST_BYTES = 200_000


def test_the_corpus_is_small_and_has_inputs_of_every_mode() -> None:
    contents = [path.read_bytes() for path in CORPUS]
    assert {content[0] % MODES for content in contents if content} == set(range(MODES))
    assert sum(len(content) for content in contents) < MOST_BYTES


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_an_input_of_the_corpus_is_read_to_values_in_bounds_in_any_cut(path: Path) -> None:
    check(path.read_bytes())


def test_the_check_sees_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_self: object, _data: bytes) -> None:
        raise IndexError

    monkeypatch.setattr("checker.codecs.tls.MessageReader.feed", broken)
    with pytest.raises(IndexError):
        check(b"\0\x16\x03\x03\x00\x01\x02")
