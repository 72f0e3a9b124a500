import { type Browser, createBrowser } from './browser.testing.ts';
import type { TestServer } from './server.testing.ts';

/** A page as somebody sees it. */
export type Seen = Awaited<ReturnType<Browser['open']>>;

/** One form of a page, found by where it posts to. */
export interface PageForm {
  action: string;
  /** Hidden inputs and chosen options. */
  fields: [string, string][];
}

/** Every form of a page. */
export function formsOn(html: string): PageForm[] {
  return [...html.matchAll(/<form[^>]*action="([^"]*)"[^>]*>(.*?)<\/form>/gs)].map(
    ([, action = '', inside = '']) => ({
      action: unescaped(action),
      fields: [...inside.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)].map(
        ([, name = '', value = '']): [string, string] => [name, unescaped(value)],
      ),
    }),
  );
}

/** The forms that post to an address with this end and carry these values. */
export function formTo(html: string, end: string, values: Record<string, string> = {}): PageForm {
  const found = formsOn(html).find(
    ({ action, fields }) =>
      action.endsWith(end) &&
      Object.entries(values).every(([name, value]) =>
        fields.some((field) => field[0] === name && field[1] === value),
      ),
  );
  if (!found) throw new Error(`no form to ${end} on ${html.slice(0, 600)}`);
  return found;
}

/** Sends a form of a page, with what was typed into it; that goes before its hidden inputs. */
export function send(
  browser: Browser,
  { action, fields }: PageForm,
  typed: Record<string, string> = {},
): Promise<Seen> {
  const kept = fields.filter(([name]) => !(name in typed));
  return browser.submit(action, [...kept, ...Object.entries(typed)]);
}

export const workspaceUrl = ({ url }: Pick<TestServer, 'url'>, which: string): string =>
  `${url}/account/workspaces/${which}`;

/** A browser in which nobody is signed in. */
export const stranger = ({ url }: Pick<TestServer, 'url'>): Browser => createBrowser(url);

/** The sentence that a page says beside a form that it refused, or about what was done. */
export function said(html: string): string {
  const [, text = ''] =
    /<p class="note (?:bad|good)"[^>]*>(?:<svg.*?<\/svg>)?(?:<span>)?(.*?)(?:<\/span>)?<\/p>/s.exec(
      html,
    ) ?? [];
  return unescaped(text);
}

/** The link that the page about a new invitation shows. */
export function linkOn(html: string): string {
  const [, link] = />(http[^<]*\/account\/invitations\/[^<]*)<\/textarea>/.exec(html) ?? [];
  if (link === undefined) throw new Error(`no link on ${html.slice(0, 600)}`);
  return unescaped(link);
}

function unescaped(text: string): string {
  return text
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}
