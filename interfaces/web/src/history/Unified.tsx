/** A difference in the unified format, in colours. */

export function Unified({ text }: { readonly text: string }) {
  return (
    <pre className="unified" dir="auto">
      {text.split("\n").map((line, index) => (
        <span key={index} className={`unified-line ${kindOf(line)}`}>
          {line}
          {"\n"}
        </span>
      ))}
    </pre>
  );
}

function kindOf(line: string): string {
  if (line.startsWith("+++") || line.startsWith("---")) return "file";
  if (line.startsWith("@@")) return "place";
  if (line.startsWith("+")) return "added";
  return line.startsWith("-") ? "removed" : "same";
}
