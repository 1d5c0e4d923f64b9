/** Short sentences about people. */

/** `Ada`, `Ada and Ben`, `Ada, Ben and 3 others`. */
export function listed(names: readonly string[], shown = 3): string {
  if (names.length <= 1) return names[0] ?? "";
  if (names.length <= shown) return `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
  const left = names.length - (shown - 1);
  return `${names.slice(0, shown - 1).join(", ")} and ${left} others`;
}

export function typingSentence(names: readonly string[]): string {
  if (names.length === 0) return "";
  if (names.length > 3) return "Several people are typing…";
  return `${listed(names)} ${names.length === 1 ? "is" : "are"} typing…`;
}

/** What is told to a screen reader of reactions. */
export function reactionSentence(names: readonly string[], emoji: string): string {
  return `${listed(names, 8)} reacted with ${emoji}`;
}
