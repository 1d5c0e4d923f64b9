export function App() {
  return <h1>Chronoscribe</h1>;
}
