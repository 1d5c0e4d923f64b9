/** A difference between two texts, line by line, with the words that differ. */

import type { components } from "@chronoscribe/client/http";

type Diff = components["schemas"]["DiffAnswer"];
type Line = Diff["hunks"][number]["lines"][number];

export function Hunks({ diff }: { readonly diff: Pick<Diff, "hunks" | "is_cut" | "is_coarse"> }) {
  if (diff.hunks.length === 0) return <p className="hint">Nothing differs.</p>;
  return (
    <>
      {diff.is_coarse ? (
        <p className="hint">The texts are too different to be compared word by word.</p>
      ) : null}
      {diff.hunks.map((hunk) => (
        <table key={`${hunk.old_start} ${hunk.new_start}`} className="hunk">
          <caption className="for-ears">
            from line {hunk.old_start} of the older text and {hunk.new_start} of the newer
          </caption>
          <tbody>
            {hunk.lines.map((line) => (
              <tr key={`${line.old} ${line.new}`} className={line.kind}>
                <td className="number">{line.old}</td>
                <td className="number">{line.new}</td>
                <td className="sign">{line.kind === "added" ? "+" : line.kind === "removed" ? "−" : ""}</td>
                <td className="text" dir="auto">
                  <Words line={line} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      ))}
      {diff.is_cut ? <p className="hint">There is more; it is too much to show.</p> : null}
    </>
  );
}

function Words({ line }: { readonly line: Line }) {
  if (!line.words) return line.text;
  return line.words.map((piece, index) =>
    piece.is_changed ? <mark key={index}>{piece.text}</mark> : piece.text,
  );
}
