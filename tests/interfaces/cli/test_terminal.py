"""Nothing that somebody typed does anything to our terminal."""

from __future__ import annotations

import unicodedata

import pytest

from interfaces.cli.terminal import as_lines, on_one_line, shortened


def test_every_control_and_every_reversal_of_direction_is_written_out() -> None:
    for code in range(0x11_0000):
        character = chr(code)
        is_control = unicodedata.category(character) in {"Cc", "Zl", "Zp", "Cs"}
        is_reversal = unicodedata.bidirectional(character) in {
            "LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI",
        }  # fmt: skip
        if is_control or is_reversal:
            written = on_one_line(f"a{character}b")
            assert written.isascii()
            assert written.startswith("a\\")
            assert written.endswith("b")


@pytest.mark.parametrize("text", ["", "plain", "日本語 ✓", "👩‍👩‍👧", "שלום", "é", "a\\b"])
def test_what_people_write_stays_as_it_is(text: str) -> None:
    assert on_one_line(text) == text
    assert as_lines(text) == text


def test_controls_are_written_as_a_python_string_has_them() -> None:
    assert on_one_line("\x1b[31mred\x07\r\n\tx\x9b\u202e") == r"\x1b[31mred\x07\r\n\tx\x9b\u202e"


def test_lines_and_tabs_of_a_text_stay() -> None:
    assert as_lines("a\n\tb\r\n\x1b]0;title\x07") == "a\n\tb\\r\n\\x1b]0;title\\x07"


def test_a_long_text_is_cut_with_an_ellipsis() -> None:
    assert shortened("abcdef", 6) == "abcdef"
    assert shortened("abcdefg", 6) == "abcde…"
