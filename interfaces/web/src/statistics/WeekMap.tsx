/** When in the week something is done: a cell for each hour, the stronger the more. */

import { Fragment } from "react";
import { strengthOf, weekdayOf } from "./figures.ts";

interface WeekMapProps {
  readonly week: readonly (readonly number[])[];
  readonly what: string;
}

/** Hours that are told beside the map. */
const TOLD_HOURS = 6;

export function WeekMap({ week, what }: WeekMapProps) {
  const most = Math.max(...week.flat());
  return (
    <div className="week-map">
      {week.map((row, day) => (
        <Fragment key={weekdayOf(day)}>
          <span className="week-day">{weekdayOf(day).slice(0, 2)}</span>
          {row.map((count, hour) => (
            <span
              key={`${weekdayOf(day)} ${hour + 0}`}
              className={`week-cell is-${strengthOf(count, most)}`}
              title={`${weekdayOf(day)}, ${hour}:00: ${count} ${what.toLowerCase()}`}
            />
          ))}
        </Fragment>
      ))}
      <span />
      {Array.from({ length: 24 / TOLD_HOURS }, (_, part) => (
        <span key={`${part * TOLD_HOURS}:00`} className="week-hour">
          {part * TOLD_HOURS}:00
        </span>
      ))}
    </div>
  );
}
