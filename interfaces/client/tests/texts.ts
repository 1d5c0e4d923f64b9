/** Texts and ops for properties: short alphabets, so that what is typed meets, and half of it outside the BMP. */

import fc from "fast-check";
import { countPoints, normalise, type Op } from "../src/algebra.ts";

/** How much of everything is tried; CHRONOSCRIBE_RUNS makes it more, for a long look. */
export const RUNS = Number(process.env.CHRONOSCRIBE_RUNS ?? 200);

const symbol = fc.constantFrom("a", "b", " ", "\n", "ß", "中", "é", "😅", "🤖", "𝒳");

export const text = (most = 12) => fc.array(symbol, { maxLength: most }).map((symbols) => symbols.join(""));

/** What an op is made from: each walks `skip` code points on, deletes so many, inserts this. */
export interface Step {
  readonly skip: number;
  readonly delete: number;
  readonly insert: string;
  readonly isInsertFirst: boolean;
}

export const steps = fc.array(
  fc.record({
    skip: fc.nat(4),
    delete: fc.nat(3),
    insert: text(3),
    isInsertFirst: fc.boolean(),
  }),
  { minLength: 1, maxLength: 3 },
);

/** The normal op of these steps on a text of so many code points, as far as it reaches. */
export function opOf(steps: readonly Step[], length: number): Op {
  const op: Op = [];
  let left = length;
  for (const step of steps) {
    const skip = Math.min(step.skip, left);
    const deleted = Math.min(step.delete, left - skip);
    left -= skip + deleted;
    op.push(skip);
    if (step.isInsertFirst) op.push(step.insert);
    op.push({ d: deleted });
    if (!step.isInsertFirst) op.push(step.insert);
  }
  return normalise(op);
}

/** Apply by the plainest means: an array of code points. */
export function plainApply(before: string, op: Op): string {
  const old = [...before];
  let result = "";
  let place = 0;
  for (const component of op) {
    if (typeof component === "string") result += component;
    else if (typeof component === "number") {
      result += old.slice(place, place + component).join("");
      place += component;
    } else {
      place += typeof component.d === "number" ? component.d : countPoints(component.d);
    }
  }
  if (place > old.length) throw new Error("the op does not fit");
  return result + old.slice(place).join("");
}
