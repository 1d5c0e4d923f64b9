export function StatisticsPanel() {
  return <p>…</p>;
}
