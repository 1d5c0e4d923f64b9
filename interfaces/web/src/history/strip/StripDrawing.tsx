/** What the strip looks like: a row for each person, signs above them, and where it is folded. */

import { memo } from "react";
import { useLooks } from "../useLooks.ts";
import { type Lane, outline, ruler } from "./lanes.ts";
import { PATHS, type Sign } from "./signs.ts";
import type { TimeScale } from "./timeScale.ts";

/** For the signs. */
const HEAD = 18;

export function heightOf(lanes: number): number {
  return HEAD + (lanes === 0 ? 0 : lanes * rowOf(lanes) + 2);
}

function rowOf(lanes: number): number {
  return lanes > 4 ? 10 : 14;
}

interface StripDrawingProps {
  readonly lanes: readonly Lane[];
  readonly scale: TimeScale;
  readonly signs: readonly Sign[];
  readonly width: number;
  readonly from: number;
  readonly until: number;
}

export const StripDrawing = memo(function StripDrawing(props: StripDrawingProps) {
  const { lanes, scale, signs, width, from, until } = props;
  const looksOf = useLooks();
  const height = heightOf(lanes.length);
  const row = rowOf(lanes.length);
  const { x: across } = ruler({ from, until, width });
  return (
    <svg className="strip-drawing" width={width} height={height} aria-hidden="true">
      <rect className="strip-ground" x={0} y={HEAD - 2} width={width} height={height - HEAD + 2} rx={4} />
      {scale.folds.map(({ from: at, place }) => (
        <line
          key={at}
          className="strip-fold"
          x1={across(place)}
          x2={across(place)}
          y1={HEAD - 2}
          y2={height}
        />
      ))}
      {lanes.map((lane, index) => {
        const bottom = HEAD + (index + 1) * row;
        const { colour } = looksOf(lane.user);
        return (
          <g key={lane.user} fill={colour}>
            {lane.stays.map(({ x, width: wide }) => (
              <rect
                key={x}
                className="strip-stay"
                x={x}
                y={bottom - row + 2}
                width={wide}
                height={row - 3}
                rx={2}
              />
            ))}
            <path d={outline(lane.columns, bottom - 1, row - 4)} />
            {lane.said.map((x) => (
              <circle
                key={x}
                className="strip-said"
                cx={x}
                cy={bottom - row / 2 - 0.5}
                r={2.6}
                stroke={colour}
              />
            ))}
          </g>
        );
      })}
      {signs.map((sign) => (
        <SignShape
          key={sign.position}
          sign={sign}
          x={across(scale.placeOf(sign.at))}
          colour={looksOf(sign.user).colour}
        />
      ))}
    </svg>
  );
});

function SignShape({
  sign,
  x,
  colour,
}: {
  readonly sign: Sign;
  readonly x: number;
  readonly colour: string;
}) {
  const place = `translate(${x.toFixed(1)} 8)`;
  if (sign.shape === "ring")
    return <circle transform={place} r={4} fill="none" stroke={colour} strokeWidth={2.2} />;
  if (sign.shape === "dot") return <circle transform={place} r={3.2} fill={colour} />;
  return <path transform={place} d={PATHS[sign.shape]} fill={colour} />;
}
