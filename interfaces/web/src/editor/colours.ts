/** What can be read on a person's colour. */

const LIGHT = "#ffffff";
const DARK = "#000000";

/** White or black, whichever is read better (WCAG 2.2's contrast). */
export function inkOn(colour: string): string {
  const luminance = luminanceOf(colour);
  const ofWhite = 1.05 / (luminance + 0.05);
  const ofDark = (luminance + 0.05) / (luminanceOf(DARK) + 0.05);
  return ofWhite >= ofDark ? LIGHT : DARK;
}

function luminanceOf(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) =>
    linear(Number.parseInt(colour.slice(at, at + 2), 16) / 255),
  );
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function linear(value: number): number {
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}
