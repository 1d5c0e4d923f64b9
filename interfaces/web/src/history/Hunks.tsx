/** A difference between two texts, line by line, with the words that differ. */

import type { components } from "@chronoscribe/client/http";
import { RotateCcw } from "lucide-react";
import { useState } from "react";
import { Button } from "react-aria-components";
import { UndoHunk } from "./UndoHunk.tsx";

type Diff = components["schemas"]["DiffAnswer"];
export type Hunk = Diff["hunks"][number];
type Line = Hunk["lines"][number];

/** The edits between the two texts, which can be taken back hunk by hunk. */
export interface HunkUndo {
  readonly document: string;
  readonly first: number;
  readonly last: number;
  onDone(): void;
}

interface HunksProps {
  readonly diff: Pick<Diff, "hunks" | "is_cut" | "is_coarse">;
  readonly undo?: HunkUndo;
}

export function Hunks({ diff, undo }: HunksProps) {
  const [open, setOpen] = useState<number | null>(null);
  if (diff.hunks.length === 0) return <p className="hint">Nothing differs.</p>;
  return (
    <div className="hunks">
      {diff.is_coarse ? (
        <p className="hint">The texts are too different to be compared word by word.</p>
      ) : null}
      {diff.hunks.map((hunk, index) => (
        <section key={`${hunk.old_start} ${hunk.new_start}`} className="hunk" aria-label={placeOf(hunk)}>
          <header>
            <span>{placeOf(hunk)}</span>
            {undo === undefined ? null : (
              <Button
                className="react-aria-Button quiet"
                aria-expanded={open === index}
                onPress={() => setOpen(open === index ? null : index)}
              >
                <RotateCcw aria-hidden="true" /> Undo this passage
              </Button>
            )}
          </header>
          {undo !== undefined && open === index ? (
            <UndoHunk hunk={hunk} undo={undo} onClose={() => setOpen(null)} />
          ) : null}
          <Table hunk={hunk} />
        </section>
      ))}
      {diff.is_cut ? <p className="hint">There is more; it is too much to show.</p> : null}
    </div>
  );
}

function placeOf({ new_start, new_lines }: Hunk): string {
  return new_lines <= 1 ? `Line ${new_start}` : `Lines ${new_start} to ${new_start + new_lines - 1}`;
}

function Table({ hunk }: { readonly hunk: Hunk }) {
  return (
    <table>
      <tbody>
        {hunk.lines.map((line) => (
          <tr key={`${line.old} ${line.new}`} className={line.kind}>
            <td className="number">{line.old}</td>
            <td className="number">{line.new}</td>
            <td className="sign">
              <span aria-hidden="true">{SIGNS[line.kind]}</span>
              <span className="for-ears">{line.kind === "same" ? "" : line.kind}</span>
            </td>
            <td className="text" dir="auto">
              <Words line={line} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const SIGNS: Readonly<Record<string, string>> = { added: "+", removed: "−" };

function Words({ line }: { readonly line: Line }) {
  if (!line.words) return line.text;
  return line.words.map((piece, index) =>
    piece.is_changed ? <mark key={index}>{piece.text}</mark> : piece.text,
  );
}
