/** A difference in the unified format, in colours. */

export function Unified({ text }: { readonly text: string }) {
  return (
    <pre className="unified" dir="auto">
      {withoutHead(text).map((line, index) => (
        <span key={index} className={`unified-line ${kindOf(line)}`}>
          {line}
          {"\n"}
        </span>
      ))}
    </pre>
  );
}

/** Names and times of the two texts are told beside it. */
function withoutHead(text: string): readonly string[] {
  const lines = text.replace(/\n$/, "").split("\n");
  return lines.slice(
    Math.max(
      0,
      lines.findIndex((line) => line.startsWith("@@")),
    ),
  );
}

function kindOf(line: string): string {
  if (line.startsWith("@@")) return "place";
  if (line.startsWith("+")) return "added";
  return line.startsWith("-") ? "removed" : "same";
}
