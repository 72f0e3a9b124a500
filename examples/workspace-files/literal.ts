/** Tells where a literal text is in another one, from a place on; -1 when nowhere. */
export type Find = (text: string, from?: number) => number;

/** Up to this length the engine's own search is fast whatever the texts are. */
const short = 32;

/**
 * Makes the search for a literal text in time proportional to the lengths. The engine's `indexOf` takes their product for
 * some texts, which whoever writes both can choose: minutes for one call, while nobody else is served (Knuth, Morris,
 * Pratt 1977).
 */
export function finder(wanted: string): Find {
  if (wanted.length <= short) return (text, from = 0) => text.indexOf(wanted, from);
  const borders = bordersOf(wanted);
  return (text, from = 0) => {
    let matched = 0;
    for (let at = from; at < text.length; at += 1) {
      matched = extended(wanted, borders, matched, text.charCodeAt(at));
      if (matched === wanted.length) return at + 1 - matched;
    }
    return -1;
  };
}

/** For each start of a text, the length of its longest proper start that is also its end. */
function bordersOf(text: string): Uint32Array {
  const borders = new Uint32Array(text.length);
  let matched = 0;
  for (let at = 1; at < text.length; at += 1) {
    matched = extended(text, borders, matched, text.charCodeAt(at));
    borders[at] = matched;
  }
  return borders;
}

/** How much of `wanted` is matched after one more character. */
function extended(wanted: string, borders: Uint32Array, before: number, code: number): number {
  let matched = before;
  while (matched > 0 && wanted.charCodeAt(matched) !== code) matched = borders[matched - 1] ?? 0;
  return wanted.charCodeAt(matched) === code ? matched + 1 : matched;
}
