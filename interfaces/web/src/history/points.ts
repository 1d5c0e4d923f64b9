/** Code points, in which the server counts, and UTF-16 units, in which the browser does. */

/** The UTF-16 length of the first `points` code points of a text, no further than its end. */
export function unitsAt(text: string, points: number): number {
  let units = 0;
  for (let left = points; left > 0 && units < text.length; left--) units += isPair(text, units) ? 2 : 1;
  return units;
}

/** How many code points begin before a place in UTF-16 units. */
export function pointsAt(text: string, units: number): number {
  let points = 0;
  for (let at = 0; at < Math.min(units, text.length); at += isPair(text, at) ? 2 : 1) points += 1;
  return points;
}

function isPair(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  const next = text.charCodeAt(at + 1);
  return unit >= 0xd800 && unit < 0xdc00 && next >= 0xdc00 && next < 0xe000;
}

/** Cuts a text at places in code points that only grow; quicker than to count from its beginning each time. */
export class Cutter {
  readonly #text: string;
  #points = 0;
  #units = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** The part from the last end up to `end`. */
  upTo(end: number): string {
    const begin = this.#units;
    this.#units += unitsAt(this.#text.slice(begin), end - this.#points);
    this.#points = end;
    return this.#text.slice(begin, this.#units);
  }
}
