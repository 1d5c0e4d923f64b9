export function ActivityStream() {
  return <p>…</p>;
}
