/** Gives a file to the person, as a download of their browser. */

/** Browsers take a moment to begin; then the address is theirs no more. */
const KEPT_MS = 60_000;

export function saveFile({ blob, name }: { readonly blob: Blob; readonly name: string }): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), KEPT_MS);
}
