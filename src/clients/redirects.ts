import { checkRedirectUri, OAuthError, redirectHost } from '../oauth/index.ts';
import type { RuleLog } from './compatibility.ts';

type Kind = 'https' | 'loopback' | 'private-use';

/**
 * Decides which redirect URIs a client may have, and whether it is a native one (RFC 8252, RFC 9700
 * §4.1): https anywhere, http on this computer, private-use schemes; nothing else.
 *
 * @throws OAuthError invalid_redirect_uri, naming the entry by its position
 */
export function decideRedirects(
  uris: readonly string[],
  declaredType: 'web' | 'native' | undefined,
  rules: RuleLog,
): { redirect_uris: string[]; application_type: 'web' | 'native' } {
  const kinds = uris.map((uri, index) => kindOf(uri, index, rules));
  const returnsHere = kinds.filter((kind) => kind !== 'https').length;
  if (returnsHere > 0 && returnsHere < uris.length && !rules.use('mixed-redirect-list')) {
    throw refused('redirect_uris mixes https with URIs that return to this computer');
  }
  if (returnsHere > 0 && declaredType !== 'native' && !rules.use('native-when-loopback')) {
    throw refused('application_type must be native for redirect URIs that return to this computer');
  }
  const secureLoopback = uris.findIndex((uri) =>
    /^https:\/\/(localhost|127\.0\.0\.1|\[::1\])(?=[:/?]|$)/i.test(uri),
  );
  if (secureLoopback >= 0 && returnsHere > 0) {
    throw refused(`redirect_uris[${secureLoopback}] must use http, being on this computer`);
  }
  const native = returnsHere > 0 || (declaredType === 'native' && secureLoopback < 0);
  return { redirect_uris: [...new Set(uris)], application_type: native ? 'native' : 'web' };
}

function kindOf(uri: string, index: number, rules: RuleLog): Kind {
  const where = `redirect_uris[${index}]`;
  const checked = checkRedirectUri(uri);
  if (!checked.ok) throw refused(`${where} ${checked.reason}`);
  if (checked.kind === 'private-use') checkScheme(uri, where, rules);
  if (checked.kind === 'loopback') checkLoopback(uri, where, rules);
  return checked.kind;
}

function checkScheme(uri: string, where: string, rules: RuleLog): void {
  const [scheme = ''] = uri.split(':', 1);
  if (scheme.includes('.') || rules.use('app-scheme-without-dot')) return;
  throw refused(`${where} must have a dot in its scheme`);
}

function checkLoopback(uri: string, where: string, rules: RuleLog): void {
  const url = new URL(uri);
  if (url.hostname === 'localhost' && !rules.use('localhost-redirect')) {
    throw refused(`${where} must say 127.0.0.1 instead of localhost`);
  }
  if (url.port === '' && !rules.use('portless-loopback')) {
    throw refused(`${where} must have a port`);
  }
}

/**
 * Whether a redirect URI is among `dcr.approved_redirects`. An entry is a whole URI; an origin such as
 * `https://app.example` (any path) or, on this computer and without a port, `http://127.0.0.1` (any port
 * and path); or a scheme such as `cursor:`.
 */
export function isApprovedRedirect(uri: string, approved: readonly string[]): boolean {
  return approved.some((entry) => entry === uri || coversOrigin(entry, uri));
}

function coversOrigin(entry: string, uri: string): boolean {
  if (entry.endsWith(':')) return redirectHost(uri) === entry;
  if (!/^https?:\/\/[^/?#]+\/?$/.test(entry)) return false;
  const approved = new URL(entry);
  const asked = new URL(uri);
  if (approved.origin === asked.origin) return true;
  const anyPort = approved.protocol === 'http:' && approved.port === '';
  return anyPort && asked.protocol === 'http:' && approved.hostname === asked.hostname;
}

function refused(description: string): OAuthError {
  return new OAuthError('invalid_redirect_uri', description);
}
