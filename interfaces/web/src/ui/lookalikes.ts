/**
 * Names that look the same to somebody who reads them, so that the id can stand beside each. After Unicode's UTS #39:
 * two names are confusable when their skeletons are equal. Its table has ten thousand rows and the packages that
 * carry it weigh more than a panel; here are the letters of the scripts in which a Latin name can be faked,
 * in both cases, which is where names of people meet. A pair that is missing costs a label, nothing else.
 */

/** From a letter that looks like it to the plain one: after normalizing, in small letters. */
const ALIKE: Readonly<Record<string, string>> = {
  ...pairs("авеёіїјкмнопрсуѕтхһԁԛԝѵѡ", "abeeiijkmhonpcystxhdqwvw"), // Cyrillic; "п" stands like "n"
  ...pairs("αβγεζηικλνορτυχωϲϳ", "abyeznikavoptuxwcj"), // Greek
  ...pairs("ոսօցհյզ", "nuoghjq"), // Armenian
  ...pairs("ıȷɑɡɩɪʏɴʀʟƽƿ", "ijagiiynrlsp"), // Latin beyond the plain ones
  ...pairs("01|!", "olli"),
};

/** Capitals that look like another letter than their small ones do. */
const CAPITALS: Readonly<Record<string, string>> = pairs("ΗΜΝΥ", "hmny");

/** Letters that look like several. */
const AS_SEVERAL: readonly (readonly [string, string])[] = [
  ["rn", "m"],
  ["vv", "w"],
  ["cl", "d"],
  // A small L, a capital i and a one are one stroke; so the capital and the small i are one letter as well.
  ["i", "l"],
];

/** What nobody sees: marks on letters, joiners, turns of direction, other signs of no width. */
const UNSEEN = /[\p{M}\p{Cf}\p{Cc}\u115f\u1160\u3164\uffa0]/gu;

function pairs(from: string, to: string): Record<string, string> {
  const plain = [...to];
  return Object.fromEntries([...from].map((letter, at) => [letter, plain[at]!]));
}

/** The same for all names that look the same. Not to be shown. */
export function skeletonOf(name: string): string {
  const seen = [...name.normalize("NFKD").replace(UNSEEN, "")]
    .map((letter) => CAPITALS[letter] ?? letter.toLowerCase())
    .join("");
  const plain = [...seen.replace(UNSEEN, "")].map((letter) => ALIKE[letter] ?? letter).join("");
  const joined = AS_SEVERAL.reduce((text, [several, one]) => text.replaceAll(several, one), plain);
  return joined.replace(/[\s\p{P}]+/gu, " ").trim();
}

/** Users among these whose name can be taken for another's. */
export function lookAlikes(
  people: Iterable<{ readonly user: string; readonly name: string }>,
): ReadonlySet<string> {
  const users = new Map<string, Set<string>>();
  for (const { user, name } of people) {
    const skeleton = skeletonOf(name);
    users.set(skeleton, (users.get(skeleton) ?? new Set()).add(user));
  }
  return new Set([...users.values()].filter(({ size }) => size > 1).flatMap((alike) => [...alike]));
}
