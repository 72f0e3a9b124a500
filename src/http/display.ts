const invisible = /[\p{Cc}\p{Zl}\p{Zp}\p{Co}\p{Cn}]|(?![\u200c\u200d])\p{Cf}/gu;
const stackedMarks = /(\p{M}{4})\p{M}+/gu;

/**
 * Text as it may be shown: no control, bidirectional override, zero-width or unassigned characters
 * (joiners stay, emoji and several scripts need them), no towers of combining marks, no lone surrogates.
 */
export function plainText(text: string): string {
  return text
    .toWellFormed()
    .replace(/\s+/g, ' ')
    .replace(invisible, '')
    .replace(stackedMarks, '$1')
    .trim();
}

/** Cuts a text in the middle so that at most `limit` grapheme clusters are left, the ellipsis included. */
export function shorten(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const clusters = graphemes(text, limit);
  if (clusters.length <= limit) return text;
  const head = Math.ceil((limit - 1) / 2);
  const tail = limit - 1 - head;
  return [...clusters.slice(0, head), '…', ...clusters.slice(clusters.length - tail)].join('');
}

// Only the ends of a long text are looked at: 32 units per cluster are plenty for real emoji.
function graphemes(text: string, limit: number): string[] {
  const span = limit * 32;
  const ends =
    text.length > 2 * span
      ? text.slice(0, span).toWellFormed() + text.slice(-span).toWellFormed()
      : text;
  return Array.from(new Intl.Segmenter('en').segment(ends), ({ segment }) => segment);
}

const units: [name: Intl.RelativeTimeFormatUnit, seconds: number][] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

/** A length of time in words, in the largest unit that divides it: `7 days`, `90 minutes`. */
export function inWords(seconds: number): string {
  const [name, size] = units.find(([, size]) => seconds >= size && seconds % size === 0) ?? [
    'second',
    1,
  ];
  const count = Math.round(seconds / size);
  return `${count} ${name}${count === 1 ? '' : 's'}`;
}

/** A time as seen from `now`: `3 hours ago`, `just now`. */
export function ago(time: Date, now: Date): string {
  const seconds = Math.round((now.getTime() - time.getTime()) / 1000);
  const unit = units.find(([, size]) => seconds >= size);
  if (!unit) return 'just now';
  const count = Math.floor(seconds / unit[1]);
  return `${count} ${unit[0]}${count === 1 ? '' : 's'} ago`;
}
