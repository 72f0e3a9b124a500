import { html as honoHtml, raw } from 'hono/html';
import type { HtmlEscapedString } from 'hono/utils/html';
import { plainText, shorten } from './display.ts';

/** Markup whose inserted values are escaped. */
export type Html = HtmlEscapedString;
export { raw };

/**
 * Tagged template for markup: every inserted value is escaped for text and double-quoted attributes,
 * but for other `html` values; lists are joined; booleans, null and undefined print nothing.
 * Does not make a URL safe: never insert a client's URL as `href` before `checkRedirectUri`.
 */
export function html(strings: TemplateStringsArray, ...values: unknown[]): Html {
  const result = honoHtml(strings, ...values);
  if (result instanceof Promise) throw new TypeError('markup must not wait for promises');
  return result;
}

/**
 * A name that a stranger chose: isolated from the text around it (its direction cannot leak),
 * without invisible characters, shortened in the middle with the whole in the tooltip.
 *
 * @param limit characters (grapheme clusters) to show
 */
export function foreign(text: string, limit = 60): Html {
  const full = plainText(text);
  const short = shorten(full, limit);
  return short === full ? html`<bdi>${full}</bdi>` : html`<bdi title="${full}">${short}</bdi>`;
}
