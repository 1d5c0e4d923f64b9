/** Counts as bars, one for each day or hour. */

import { Bar, BarChart, ResponsiveContainer, Tooltip, XAxis, YAxis } from "recharts";
import type { Count } from "./figures.ts";

const HEIGHT = 150;
const TICK = { fill: "var(--ink-soft)", fontSize: 11 } as const;
/** Labels must not run into each other. */
const TICK_GAP = 14;
const MARGIN = { top: 6, right: 4, bottom: 0, left: 0 } as const;

export function CountBars({ counts, what }: { readonly counts: readonly Count[]; readonly what: string }) {
  return (
    <ResponsiveContainer width="100%" height={HEIGHT}>
      <BarChart data={[...counts]} margin={MARGIN} accessibilityLayer={false}>
        <XAxis dataKey="label" tick={TICK} tickLine={false} stroke="var(--line)" minTickGap={TICK_GAP} />
        <YAxis width={34} tick={TICK} tickLine={false} axisLine={false} allowDecimals={false} />
        <Tooltip
          cursor={{ fill: "var(--hover)" }}
          contentStyle={{
            padding: "4px 10px",
            border: "1px solid var(--line)",
            borderRadius: "var(--radius-small)",
            background: "var(--raised)",
            color: "var(--ink)",
            fontSize: "var(--text-small)",
          }}
          itemStyle={{ color: "var(--ink)" }}
        />
        <Bar
          dataKey="count"
          name={what}
          fill="var(--accent)"
          radius={[3, 3, 0, 0]}
          isAnimationActive={false}
        />
      </BarChart>
    </ResponsiveContainer>
  );
}
