import type { McpServer } from './server.ts';

/** Milliseconds after which a picture, or that there is none, is looked up again. */
const goodFor = 24 * 3600 * 1000;

export function isIconDue({ iconTriedAt }: Pick<McpServer, 'iconTriedAt'>, now: Date): boolean {
  return iconTriedAt === undefined || now.getTime() - iconTriedAt.getTime() > goodFor;
}

/** Where a picture is looked for: always at the origin of the server itself. */
export function iconPlaces(url: string): { favicon: string; page: string } {
  const { origin } = new URL(url);
  return { favicon: `${origin}/favicon.ico`, page: `${origin}/` };
}

/** Most of a page that is looked at, in characters; links are in its head. */
const mostOfPage = 64 * 1024;

/**
 * The picture that a page names, if it is at the same origin.
 *
 * @param html of a stranger; only its `link` elements count
 */
export function iconInPage(html: string, page: string): string | undefined {
  const { origin } = new URL(page);
  for (const [link] of html.slice(0, mostOfPage).matchAll(/<link\s[^<>]{1,1000}>/gi)) {
    if (!/\srel\s*=\s*["']?(?:shortcut )?icon\b/i.test(link)) continue;
    const href = /\shref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+))/i.exec(link);
    const address = URL.parse(href?.[1] ?? href?.[2] ?? href?.[3] ?? '', page);
    if (address?.origin === origin) return address.origin + address.pathname + address.search;
  }
  return undefined;
}
