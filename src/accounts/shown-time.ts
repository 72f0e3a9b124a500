import { ago, type Html, html, inWords } from '../http/index.ts';

/**
 * A time as seen from now, in either direction, with the exact one on hover.
 *
 * @param form `bare`: without the word `in` before a time to come
 */
export function shownTime(time: Date, now: Date, form?: 'bare'): Html {
  const exact = time.toISOString();
  const ahead = form === 'bare' ? '' : 'in ';
  const seen = time > now ? `${ahead}${distance(time, now)}` : ago(time, now);
  return html`<time datetime="${exact}" title="${exact}">${seen}</time>`;
}

function distance(time: Date, now: Date): string {
  const seconds = Math.max(60, Math.round((time.getTime() - now.getTime()) / 1000));
  const unit = [86_400, 3_600, 60].find((size) => seconds >= size) ?? 60;
  return inWords(Math.round(seconds / unit) * unit);
}
