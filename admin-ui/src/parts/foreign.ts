const invisible = /[\p{Cc}\p{Zl}\p{Zp}\p{Co}\p{Cn}]|(?![\u200c\u200d])\p{Cf}/gu;
const stackedMarks = /(\p{M}{4})\p{M}+/gu;

/** A text that a stranger chose, as it may be shown: no overrides of direction, nothing invisible, no towers. */
export function plainText(text: string): string {
  return text
    .slice(0, 4000)
    .toWellFormed()
    .replace(/\s+/g, ' ')
    .replace(invisible, '')
    .replace(stackedMarks, '$1')
    .trim();
}

/** Cuts a text in the middle so that at most `limit` characters are left, the ellipsis included. */
export function shorten(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const characters = Array.from(text);
  if (characters.length <= limit) return text;
  const head = Math.ceil((limit - 1) / 2);
  const tail = limit - 1 - head;
  return `${characters.slice(0, head).join('')}…${characters.slice(characters.length - tail).join('')}`;
}
