/**
 * Whole characters only. The log keeps code points, so a change may neither split a surrogate pair nor insert
 * half of one; a NUL cannot be stored at all. Editors of browsers do both now and then: one emoji replaced by
 * its neighbour differs in the second half only.
 */

import type { Change } from "@chronoscribe/client";
import { type ChangeSet, EditorState, type Extension, type Text } from "@codemirror/state";

const UNSTORABLE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]|\0/g;

const REPLACEMENT = "\ufffd";
/** The picture of a NUL; as long as one, so that no position has to move. */
const PICTURE_OF_NUL = "\u2400";

function isLow(unit: string): boolean {
  return unit >= "\udc00" && unit <= "\udfff";
}

function isHigh(unit: string): boolean {
  return unit >= "\ud800" && unit <= "\udbff";
}

function isInsidePair(text: Text, position: number): boolean {
  if (position <= 0 || position >= text.length) return false;
  return isHigh(text.sliceString(position - 1, position)) && isLow(text.sliceString(position, position + 1));
}

/** `change`, widened to whole characters of the text before. */
function widened(change: Change, before: Text): Change {
  let { from, to, insert } = change;
  if (isInsidePair(before, from)) {
    from -= 1;
    insert = before.sliceString(from, from + 1) + insert;
  }
  if (isInsidePair(before, to)) {
    insert += before.sliceString(to, to + 1);
    to += 1;
  }
  return { from, to, insert };
}

/** What a change set does to the text before, in whole characters. */
export function changesOf(set: ChangeSet, before: Text): Change[] {
  const changes: Change[] = [];
  set.iterChanges((from, to, _fromAfter, _toAfter, inserted) => {
    changes.push(widened({ from, to, insert: inserted.sliceString(0, inserted.length, "\n") }, before));
  });
  return changes;
}

export function isStorable(text: string): boolean {
  UNSTORABLE.lastIndex = 0;
  return !UNSTORABLE.test(text);
}

export function storable(text: string): string {
  return text.replace(UNSTORABLE, (found) => (found === "\0" ? PICTURE_OF_NUL : REPLACEMENT));
}

/** Lets nothing into the text that could not be stored. */
export const onlyStorable: Extension = EditorState.transactionFilter.of((transaction) => {
  if (!transaction.docChanged) return transaction;
  const changes = changesOf(transaction.changes, transaction.startState.doc);
  if (changes.every((change) => isStorable(change.insert))) return transaction;
  return [
    {
      changes: changes.map((change) => ({ ...change, insert: storable(change.insert) })),
      selection: transaction.newSelection,
      effects: transaction.effects,
      scrollIntoView: transaction.scrollIntoView,
    },
  ];
});
