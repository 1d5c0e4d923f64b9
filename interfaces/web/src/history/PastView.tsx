export function PastView() {
  return <p>…</p>;
}
