import { isLoopbackHost } from '../config/index.ts';
import type { Permission } from './contract/index.ts';

/** Where the browser believes the admin listener is, once its `Host` was found acceptable. */
export interface AdminOrigin {
  origin: string;
  host: string;
  secure: boolean;
}

/**
 * Judges the `Host` of a request: that of `admin.external_url`, or this computer on any port (people
 * forward ports). Attack: DNS rebinding, a foreign page whose name suddenly leads to this listener.
 *
 * @returns undefined when the request must be refused
 */
export function acceptHost(
  header: string,
  externalUrl: string | undefined,
): AdminOrigin | undefined {
  const host = header.toLowerCase();
  if (!/^(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(:\d{1,5})?$/.test(host)) return undefined;
  if (externalUrl !== undefined) {
    const external = new URL(externalUrl);
    const port = external.protocol === 'https:' ? ':443' : ':80';
    if (host === external.host || host === external.host + port) {
      return { origin: external.origin, host: external.host, secure: port === ':443' };
    }
  }
  const name = host.replace(/:\d+$/, '');
  if (!isLoopbackHost(name)) return undefined;
  const shown = host.replace(/:80$/, ''); // as browsers write it in `Origin`
  return { origin: `http://${shown}`, host: shown, secure: false };
}

const ranks = { viewer: 1, operator: 2, owner: 3 };

/** Whether a role may call a route: each role may all that the ones before it may. */
export function permits(role: Permission, needed: Permission): boolean {
  return ranks[role] >= ranks[needed];
}

/**
 * Whether a path means the admin API in any reading of it, so that nobody without a credential learns
 * more than that. Attack: `//admin/api`, `/ADMIN/api`, `/admin;x=1/api`, `/%61dmin/api`, `/admin/x/../api`.
 * Does NOT say that the path is one of its routes, which only the plain spelling is.
 */
export function concernsApi(path: string): boolean {
  const names: string[] = [];
  for (const part of decoded(path).toLowerCase().split(/[/\\]/)) {
    const name = part.replace(/;.*$/s, '').trim();
    if (name === '..') names.pop();
    else if (name !== '' && name !== '.') names.push(name);
  }
  return names[0] === 'admin' && names[1] === 'api';
}

/** Percent-decoded until nothing changes, a few times at most; what cannot be decoded stays. */
function decoded(path: string): string {
  let text = path;
  for (let round = 0; round < 3; round += 1) {
    const plain = text.replace(/%([2-7][0-9a-f])/gi, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
    if (plain === text) return text;
    text = plain;
  }
  return text;
}
