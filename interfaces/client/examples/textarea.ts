import type { DocumentHandle } from "@chronoscribe/client";

/** A plain field: what differs is what was typed. */
export function bind(field: HTMLTextAreaElement, handle: DocumentHandle): () => void {
  field.value = handle.text;
  const onInput = () => {
    const [before, after] = [handle.text, field.value];
    let from = 0;
    while (from < Math.min(before.length, after.length) && before[from] === after[from]) from += 1;
    let same = 0;
    while (
      same < Math.min(before.length, after.length) - from &&
      before.at(-1 - same) === after.at(-1 - same)
    )
      same += 1;
    handle.edit([{ from, to: before.length - same, insert: after.slice(from, after.length - same) }]);
  };
  field.addEventListener("input", onInput);
  const end = handle.onText(({ changes, isOwn }) => {
    if (isOwn) return;
    // From the last to the first, so that places before a change stay what they are.
    for (const { from, to, insert } of changes.toReversed()) field.setRangeText(insert, from, to, "preserve");
  });
  return () => {
    field.removeEventListener("input", onInput);
    end();
  };
}
