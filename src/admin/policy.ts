import { isLoopbackHost } from '../config/index.ts';
import type { CallerRole } from './caller.ts';
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

const ranks = { workspace: 0, viewer: 1, operator: 2, owner: 3 };

/** Whether a role has what is needed: each role may all that the ones before it may. */
export function permits(role: CallerRole, needed: Permission): boolean {
  return ranks[role] >= ranks[needed];
}

/**
 * Whether something that belongs to a workspace, or to none, is for somebody to see (AD07).
 *
 * @param workspaceIds of an admin of workspaces; undefined for who sees everything
 */
export function isTheirs(
  workspaceIds: readonly string[] | undefined,
  workspaceId: string | null | undefined,
): boolean {
  if (workspaceIds === undefined) return true;
  return workspaceId !== null && workspaceId !== undefined && workspaceIds.includes(workspaceId);
}

/** Where the console begins. */
export const consoleHome = '/admin/ui/';

/**
 * Where a browser goes after sign-in: a page of the console, whatever else was asked for. Attack: a link to
 * our sign-in page that leads somewhere else afterwards (RU22: `//evil.test`, `/\\evil.test` …).
 */
export function returnTo(asked: string | undefined): string {
  if (
    asked === undefined ||
    asked.length > 2048 ||
    !/^\/admin\/ui\/[\x21-\x5b\x5d-\x7e]*$/.test(asked)
  ) {
    return consoleHome;
  }
  const origin = 'http://localhost';
  if (!URL.canParse(asked, origin)) return consoleHome;
  const url = new URL(asked, origin);
  const stays = url.origin === origin && url.pathname.startsWith(consoleHome);
  return stays ? url.pathname + url.search + url.hash : consoleHome;
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
