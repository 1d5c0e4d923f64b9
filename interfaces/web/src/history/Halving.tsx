/** How the search closes in: the revisions that were looked at, on one line, good and bad. */

export interface Verdict {
  readonly revision: number;
  readonly verdict: string;
}

export function Halving({ looked }: { readonly looked: readonly Verdict[] }) {
  if (looked.length === 0) return null;
  const revisions = looked.map(({ revision }) => revision);
  const [first, last] = [Math.min(...revisions), Math.max(...revisions)];
  const good = Math.max(first, ...looked.filter(isGood).map(({ revision }) => revision));
  const bad = Math.min(last, ...looked.filter(isBad).map(({ revision }) => revision));
  const place = (revision: number) => `${(100 * (revision - first)) / Math.max(1, last - first)}%`;
  return (
    <figure className="halving">
      <div className="halving-line" aria-hidden="true">
        <span
          className="halving-open"
          style={{ insetInlineStart: place(good), inlineSize: `calc(${place(bad)} - ${place(good)})` }}
        />
        {looked.map(({ revision, verdict }) => (
          <span
            key={revision}
            className={`halving-dot ${verdict}`}
            style={{ insetInlineStart: place(revision) }}
            title={`Revision ${revision}: ${verdict}`}
          />
        ))}
      </div>
      <figcaption>
        Looked at {looked.length}:{" "}
        {looked.map(({ revision, verdict }) => `${revision} ${verdict}`).join(", ")}
      </figcaption>
    </figure>
  );
}

function isGood({ verdict }: Verdict): boolean {
  return verdict === "good";
}

function isBad({ verdict }: Verdict): boolean {
  return verdict === "bad";
}
