import { redirectHost } from '../oauth/index.ts';

/** Characters kept of each text; what clients send must not fill the table. */
const longest = 512;
const mostFacts = 20;

/** A text as it may be stored and shown: cut, without NUL and lone surrogates (22021, 22P05). */
export function cleaned(value: string, length = longest): string {
  const stored = value.replaceAll('\0', '');
  const cut = stored.length > length ? `${stored.slice(0, length - 1)}…` : stored;
  return cut.toWellFormed();
}

/** Facts that have a value, each cleaned. */
export function cleanedFacts(facts: Record<string, string | undefined>): Record<string, string> {
  const kept = Object.entries(facts).filter(([, value]) => value !== undefined && value !== '');
  return Object.fromEntries(
    kept.slice(0, mostFacts).map(([name, value]) => [cleaned(name, 64), cleaned(value ?? '')]),
  );
}

/**
 * A URI as it may be stored: without user information, query and fragment, where people and programs put
 * secrets; a mark says that there was a query.
 */
export function withoutQuery(uri: string): string {
  const [plain = ''] = uri.split('#');
  const [path = '', query] = plain.split('?');
  const bare = path.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/]*@/i, '$1');
  return query === undefined ? bare : `${bare}?…`;
}

/** A sentence, with the queries of the addresses in it left out. */
export function withoutQueries(sentence: string): string {
  return sentence.replace(/([a-z][a-z0-9+.-]*:[^\s?]+)\?\S+/gi, '$1?…');
}

/** Host of a redirect URI, or nothing where it has none. */
export function hostOf(redirectUri: string | undefined): string | undefined {
  if (redirectUri === undefined) return undefined;
  try {
    return cleaned(redirectHost(redirectUri) || new URL(redirectUri).host, 256);
  } catch {
    return undefined;
  }
}
