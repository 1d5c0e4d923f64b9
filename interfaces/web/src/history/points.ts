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

/** Places in a text for code points that only grow; quicker than to count from its beginning each time. */
export class Units {
  readonly #text: string;
  #points = 0;
  #units = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Where in UTF-16 so many code points end; no fewer than the last time. */
  upTo(points: number): number {
    for (; this.#points < points && this.#units < this.#text.length; this.#points++)
      this.#units += isPair(this.#text, this.#units) ? 2 : 1;
    return this.#units;
  }
}

/** Where the lines of a text begin, in code points, and behind them where it ends. */
export function lineStarts(text: string): readonly number[] {
  const starts = [0];
  let points = 0;
  for (let at = 0; at < text.length; at += isPair(text, at) ? 2 : 1) {
    points += 1;
    if (text[at] === "\n") starts.push(points);
  }
  if (starts.at(-1) !== points) starts.push(points);
  return starts;
}
