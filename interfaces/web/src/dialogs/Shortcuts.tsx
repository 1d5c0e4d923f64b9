/** What the keys do. */

import { Keyboard } from "react-aria-components";
import { keysOf } from "../editor/ToolButton.tsx";

const KEYS: readonly [string, string][] = [
  ["Mod-K", "Do anything by its name"],
  ["Mod-Z", "Undo what I did last; others' work stays"],
  ["Mod-Shift-Z", "Redo it"],
  ["Mod-S", "Name this version"],
  ["Mod-F", "Find in the text"],
  ["Mod-Alt-H", "When was this written?"],
  ["Mod-Alt-M", "Write in the chat about what is selected"],
  ["Alt-1", "People"],
  ["Alt-2", "Chat"],
  ["Alt-3", "Activity"],
  ["Alt-4", "Statistics"],
  ["Alt-5", "History"],
  ["Escape", "Follow nobody; close what is open"],
  ["Space", "In the past: play, pause"],
  ["← →", "In the past: one step; ten with Shift; to the next sign with Alt"],
  ["< >", "In the past: slower, quicker"],
  ["?", "This list"],
];

export function Shortcuts() {
  return (
    <table className="keys">
      <tbody>
        {KEYS.map(([keys, words]) => (
          <tr key={keys}>
            <th scope="row">
              <Keyboard>{keysOf(keys)}</Keyboard>
            </th>
            <td>{words}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
