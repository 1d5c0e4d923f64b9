export function HistoryPanel() {
  return <p>…</p>;
}
