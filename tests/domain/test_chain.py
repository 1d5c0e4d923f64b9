"""The hash chain, spelled out by hand."""

from __future__ import annotations

import hashlib
import struct

from hypothesis import given
from hypothesis import strategies as st

from domain.chain import GENESIS, Header, content_of, digest_of, link_of, root_of, statement_of

SALT = bytes(range(16))
HEADER = Header("document:demo/main.md", 2, "document.edit_applied", "ada", 1_700_000_000_000_000, "ada-1", 7)


def test_an_event_has_the_digest_that_the_documentation_says() -> None:
    header = b"document:demo/main.md\n2\ndocument.edit_applied\nada\n1700000000000000\n=ada-1\n=7\n"
    content = hashlib.sha256(SALT + b'{"op":["x"]}').digest()
    assert bytes(HEADER) == header
    assert (
        digest_of(bytes(HEADER), content_of(SALT, b'{"op":["x"]}'))
        == hashlib.sha256(header + content).digest()
    )


def test_a_link_covers_the_one_before_it_and_all_of_its_batch() -> None:
    digests = b"d" * 64
    root = hashlib.sha256(digests).digest()
    numbers = struct.pack(">qqq", 41, 2, 1_700_000_000_000_000)
    link = hashlib.sha256(bytes(32) + numbers + root).digest()
    assert link_of(GENESIS, 41, 2, 1_700_000_000_000_000, root_of(digests)) == link
    assert statement_of("e", "record", 42, 5, link) == (
        b"chronoscribe checkpoint\ne\nrecord\n42\n5\n" + link.hex().encode() + b"\n"
    )


_LINE = st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=3)
_ANY = st.text(st.sampled_from("\na=1"), max_size=6)
_NUMBERS = st.integers(0, 3)


def _headers(text: st.SearchStrategy[str]) -> st.SearchStrategy[Header]:
    client, seq = st.none() | text, st.none() | _NUMBERS
    return st.builds(Header, text, _NUMBERS, text, text, _NUMBERS, client, seq)


@given(_headers(_LINE) | _headers(st.text(st.sampled_from("a=1"), max_size=3)), _headers(_ANY))
def test_no_other_columns_have_the_same_header(stored: Header, forged: Header) -> None:
    """Also when line ends are smuggled into the columns."""
    if bytes(stored) == bytes(forged):
        assert stored == forged
