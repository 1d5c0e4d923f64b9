"""Exports of Etherpad: what is read of them, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import accumulate
from typing import Any

import pytest

from application import brought, etherpad
from application.brought import document_name
from application.etherpad import Export, read
from domain.errors import ClientError, DocumentTooLarge, ImportInvalid, LimitReached, OpTooLarge
from domain.ids import is_document_id, is_id
from domain.importing import author_of
from domain.text_op import apply
from tests.etherpads import PadWriter, as_file, export, of_trace

SECOND = 1_000


def a_pad(name: str = "notes") -> PadWriter:
    """Two people, an emoji that becomes another one, bold, a saved revision and something said."""
    pad = PadWriter(name, "Welcome", at=1_400_000_000_000)
    pad.author("a.ada", "Ada", "#4C75F0")
    pad.author("a.ben", None, 17)
    pad.write("a.ada", 1_400_000_001_000, "Hello\n😀")
    pad.embolden("a.ada", 1_400_000_002_000, 5)
    pad.write("a.ben", 1_400_000_003_000, "Hello\n😁 there")
    pad.save("Good")
    pad.write("a.gone", 1_400_000_002_500, "Hello\n😁 there!")
    pad.say("a.ben", 1_400_000_004_000, "nice")
    pad.say("a.ada", 1_400_000_005_000, "  ")
    pad.say("a.ada", 1_400_000_006_000, "yes 😀", key="authorId")
    return pad


def test_every_revision_of_the_text_is_an_edit_with_its_author_and_time() -> None:
    found = read(export(a_pad()))
    [pad] = found.pads
    edits = pad.document.edits
    assert [(edit.author, edit.written // 1_000_000, edit.reference) for edit in edits] == [
        ("Etherpad (system)", 1_400_000_000, "0"),
        ("Ada (a.ada)", 1_400_000_001, "1"),
        ("anonymous (a.ben)", 1_400_000_003, "3"),
        ("anonymous (a.gone)", 1_400_000_003, "4"),  # dated before the one before
    ]
    text = ""
    for edit, after in zip(
        edits, ("Welcome\n", "Hello\n😀\n", "Hello\n😁 there\n", "Hello\n😁 there!\n"), strict=True
    ):
        text = apply(text, edit.op)
        assert text == after
    assert pad.document.text == text
    assert pad.document.provenance["source"] == "etherpad:notes"
    assert pad.document.provenance.get("colours") == {"Ada (a.ada)": "#4c75f0"}
    assert pad.names == {"Good": 3}
    assert (found.left.attributes, found.left.chat, found.left.replaced) == (1, 1, 0)
    assert [(said.author, said.posted // 1_000_000, said.text) for said in pad.chat] == [
        ("anonymous (a.ben)", 1_400_000_004, "nice"),
        ("Ada (a.ada)", 1_400_000_006, "yes 😀"),
    ]
    assert all(is_id(said.message) for said in pad.chat)
    assert read(export(a_pad())) == found


@pytest.mark.parametrize("name", ["clownschool", "books-ja"])
def test_recorded_sessions_come_through_an_export_unharmed(name: str) -> None:
    writer, text = of_trace(name, 1_500)
    [pad] = read(export(writer)).pads
    assert pad.document.text == text
    assert len(pad.document.edits) == writer.head + 1


def test_several_pads_become_documents_of_names_that_documents_can_have() -> None:
    names = ["a/b", "a b", "a-b", "ä", "..", "x" * 80]
    pads = read(export(*(PadWriter(name, "x") for name in names))).pads
    called = [pad.document.document for pad in pads]
    assert called == ["a-b", "a-b-2", "a-b-3", "imported", "imported-2", "x" * 64]
    assert all(map(is_document_id, called))
    assert document_name("x" * 80, ["x" * 64]) == "x" * 62 + "-2"
    with pytest.raises(ImportInvalid, match="several pads"):
        read(export(*map(PadWriter, names)), document="one")


def test_a_half_character_stands_as_what_it_is_until_the_other_comes() -> None:
    pad = PadWriter("halves")
    pad.edit("a.ada", 1, [(0, 0, [0xD83D])])
    pad.edit("a.ada", 2, [(1, 0, [0xDE00])])
    found = read(export(pad))
    ops = [edit.op for edit in found.pads[0].document.edits]
    assert list(accumulate(ops, apply, initial=""))[1:] == ["\n", "\ufffd\n", "😀\n"]
    assert found.left.replaced == 1


@pytest.mark.parametrize(
    ("name", "author"),
    [
        ("Ada", "Ada (a.x)"),
        ("", "anonymous (a.x)"),
        ("\u200b\u202e", "anonymous (a.x)"),
        ("A\u202eda\n\tL", "Ada L (a.x)"),
        ("\ud83d", "anonymous (a.x)"),
        ("e" + "\u0301" * 50, "\u00e9" + "\u0301" * 4 + " (a.x)"),
        ("<b>x</b>", "<b>x</b> (a.x)"),
        ("n" * 500, "n" * 64 + " (a.x)"),
    ],
)
def test_an_author_is_shown_by_name_and_is_nobodys_account(name: str, author: str) -> None:
    assert author_of(name, "a.x") == author
    assert not is_id(author)


def broken(change: Callable[[dict[str, Any]], object]) -> bytes:
    records = json.loads(export(a_pad()))
    change(records)
    return as_file(records)


def set_to(key: str, value: Any, *path: str) -> bytes:
    def change(records: dict[str, Any]) -> None:
        at = records
        for part in (key, *path)[:-1]:
            at = at[part]
        at[(key, *path)[-1]] = value

    return broken(change)


@pytest.mark.parametrize(
    ("data", "key"),
    [
        (b"", None),
        (b"PK\x03\x04", None),
        (b"[]", None),
        (b"{}", None),
        (b'{"pad:x": NaN}', None),
        (b'{"pad:x": 1, "pad:x": 2}', None),
        (b'{"a":' * 100_000, None),
        (b'{"globalAuthor:a.x": {"name": "Ada"}}', None),
        (b'{"pad:x": 1}', "pad:x"),
        (b'{"pad:x": {"head": 0.5}}', "pad:x"),
        (b'{"pad:x": {"head": true}}', "pad:x"),
        (b'{"pad:x": {"head": 999999999}}', "pad:x:revs:0"),
        (set_to("comments:notes", {}), "comments:notes"),
        (set_to("pad:notes:revs:-1", {}), "pad:notes:revs:-1"),
        (set_to("pad:notes:revs:5", {}), "pad:notes:revs"),
        (set_to("pad:notes:revs:05", {}), "pad:notes:revs:05"),
        (set_to("pad:notes:chat:3", {}), "pad:notes:chat"),
        (broken(lambda records: records.pop("pad:notes:revs:2")), "pad:notes:revs:2"),
        (broken(lambda records: records.pop("pad:notes:chat:1")), "pad:notes:chat:1"),
        (broken(lambda records: records.pop("pad:notes")), "pad:notes"),
        (set_to("pad:notes:revs:3", "Z:1>0$", "changeset"), "pad:notes:revs:3"),
        (set_to("pad:notes:revs:3", 7, "changeset"), "pad:notes:revs:3"),
        (set_to("pad:notes:revs:3", -5, "meta", "timestamp"), "pad:notes:revs:3"),
        (set_to("pad:notes:revs:3", True, "meta", "timestamp"), "pad:notes:revs:3"),
        (set_to("pad:notes:revs:3", 10**300, "meta", "timestamp"), "pad:notes:revs:3"),
        (set_to("pad:notes:revs:0", "Goodbye\n", "meta", "atext", "text"), "pad:notes:revs:0"),
        (set_to("pad:notes", "Hello\n", "atext", "text"), "pad:notes"),
        (set_to("pad:notes", [{"revNum": 9}], "savedRevisions"), "pad:notes"),
        (set_to("pad:notes:chat:0", None, "text"), "pad:notes:chat:0"),
        (set_to("globalAuthor:a.ada", 5, "name"), "globalAuthor:a.ada"),
    ],
)
def test_what_is_broken_is_refused_and_said_where(data: bytes, key: str | None) -> None:
    with pytest.raises(ImportInvalid) as refused:
        read(data)
    assert refused.value.code == "E_IMPORT"
    assert refused.value.facts.get("key") == key


def test_what_plugins_have_put_in_is_passed_over_when_asked() -> None:
    data = set_to("comments:notes", {"a": 1})
    assert read(data, ignores_unknown=True).left.unknown == 1


def test_what_is_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def refusal(pad: PadWriter) -> ClientError:
        with pytest.raises((LimitReached, DocumentTooLarge, OpTooLarge)) as refused:
            read(export(pad))
        return refused.value

    long = PadWriter("long", "x" * 1_000_000)
    assert isinstance(refusal(long), DocumentTooLarge)
    wide = PadWriter("wide", "中" * 700_000)
    assert isinstance(refusal(wide), DocumentTooLarge)
    said = PadWriter("said")
    said.say("a.ada", 1, "x" * 9_000)
    assert refusal(said).facts["key"] == "pad:said:chat:0"
    monkeypatch.setattr(etherpad, "IMPORT_EDITS", 4)
    assert isinstance(refusal(a_pad()), LimitReached)


def test_edits_that_do_not_make_the_text_are_refused() -> None:
    found: Export = read(export(a_pad()))
    document = found.pads[0].document
    brought.verify(document)
    with pytest.raises(ImportInvalid):
        brought.verify(type(document)(document.document, document.provenance, document.edits, "other"))
