import { checkOutboundUrl } from '../http/index.ts';

/** Whether a client_id means a metadata document: nothing else may look like one. */
export function isDocumentUrl(clientId: string): boolean {
  return /^https?:/i.test(clientId);
}

/**
 * The rules for a client identifier URL (CIMD draft-02 §3), judged on what the client wrote, before
 * anything is looked up or fetched: https, a path, no dot segments (encoded or not), no fragment, no
 * userinfo, no port 0, at most 2,048 characters. A path of `/` alone is refused, as in MCP clients.
 *
 * @returns the host (without port, lower case), or what is wrong
 */
export function checkClientIdUrl(
  clientId: string,
): { ok: true; host: string } | { ok: false; problem: string } {
  const checked = checkOutboundUrl(clientId);
  if (!checked.ok) return checked;
  const path = /^[^?]*/.exec(clientId.slice('https://'.length))?.[0].replace(/^[^/]*/, '') ?? '';
  if (path === '' || path === '/') return { ok: false, problem: 'no path' };
  const segments = path.split('/').map((segment) => segment.replace(/%2e/gi, '.'));
  if (segments.some((segment) => segment === '.' || segment === '..')) {
    return { ok: false, problem: 'dot segment' };
  }
  return { ok: true, host: checked.url.hostname };
}

/** Whether documents from a host are wanted; `*.example.com` covers the subdomains of example.com. */
export function isHostAllowed(
  host: string,
  lists: { allowed_hosts: readonly string[]; denied_hosts: readonly string[] },
): boolean {
  const covers = (pattern: string) =>
    pattern.startsWith('*.') ? host.endsWith(pattern.slice(1)) : host === pattern;
  if (lists.denied_hosts.some(covers)) return false;
  return lists.allowed_hosts.length === 0 || lists.allowed_hosts.some(covers);
}
