/** Edits of a passage, those together that one person made in one go. */

export interface Piece {
  readonly kind: string;
  readonly text: string;
  readonly length: number;
}

export interface TouchingEdit {
  readonly type: "edit";
  readonly direction: "back" | "forward";
  readonly revision: number;
  readonly user: string;
  readonly at: number;
  readonly pieces: readonly Piece[];
}

export interface Burst {
  readonly user: string;
  readonly at: number;
  /** The first and the last edit of it. */
  readonly first: number;
  readonly last: number;
  readonly edits: number;
  /** Of one edit what it did; of several what they put in and took out, as far as that joins up. */
  readonly pieces: readonly Piece[];
}

/** Letters that come quicker than this (microseconds) are typed in one go. */
const PAUSE = 3_000_000;

/** Of edits in their order. */
export function burstsOf(edits: readonly TouchingEdit[]): readonly Burst[] {
  const found: Burst[] = [];
  let until = 0;
  for (const { user, at, revision, pieces } of edits) {
    const last = found.at(-1);
    if (last !== undefined && last.user === user && at - until < PAUSE) {
      const changes = [...changesOf(last.pieces), ...changesOf(pieces)];
      found[found.length - 1] = {
        ...last,
        last: revision,
        edits: last.edits + 1,
        pieces: joined(changes),
      };
    } else {
      found.push({ user, at, first: revision, last: revision, edits: 1, pieces });
    }
    until = at;
  }
  return found;
}

function changesOf(pieces: readonly Piece[]): readonly Piece[] {
  return pieces.filter(({ kind }) => kind === "inserted" || kind === "deleted");
}

function joined(pieces: readonly Piece[]): readonly Piece[] {
  const found: Piece[] = [];
  for (const { kind, text, length } of pieces) {
    const last = found.at(-1);
    if (last?.kind === kind)
      found[found.length - 1] = { kind, text: last.text + text, length: last.length + length };
    else found.push({ kind, text, length });
  }
  return found;
}
