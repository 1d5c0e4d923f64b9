export function ChatPanel() {
  return <p>…</p>;
}
