export function TimeStrip() {
  return <p>…</p>;
}
