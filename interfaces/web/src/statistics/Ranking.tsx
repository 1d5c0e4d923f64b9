/** Things with how often, the most first, each with a bar behind it. */

import type { ReactNode } from "react";

export interface Ranked {
  readonly key: string;
  readonly name: ReactNode;
  readonly count: number;
  readonly colour?: string;
}

export function Ranking({ items, label }: { readonly items: readonly Ranked[]; readonly label: string }) {
  const most = Math.max(1, ...items.map(({ count }) => count));
  return (
    <ol className="ranking" aria-label={label}>
      {items.map(({ key, name, count, colour }) => (
        <li key={key}>
          <span
            className="ranking-bar"
            style={{ inlineSize: `${(count / most) * 100}%`, background: colour }}
          />
          <span className="ranking-name">{name}</span>
          <span className="ranking-count">{count.toLocaleString()}</span>
        </li>
      ))}
    </ol>
  );
}
