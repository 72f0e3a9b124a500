import type { Config } from '../config/index.ts';
import type { Rooms } from '../rooms.ts';
import { endpoint } from './listeners.ts';

/** A new one-time link that makes the first owner; undefined when there is one. */
export async function ownershipLink(
  { accounts, now }: Pick<Rooms, 'accounts' | 'now'>,
  { admin }: Config,
): Promise<string | undefined> {
  const link = await accounts.setup.open({ at: now() });
  const { setupUrl } = await import('../admin/index.ts');
  return link && setupUrl(adminUrl(admin), link.token);
}

/** Where the administration is opened from this computer. */
export function adminUrl({ external_url, address }: Config['admin']): string {
  return external_url ?? localUrl(address);
}

/** Where it is reached from this computer, whatever it is called elsewhere. */
export function localUrl(address: string): string {
  const { host, port } = endpoint(address);
  const everywhere = host === undefined || host === '0.0.0.0' || host === '::';
  return `http://${everywhere ? 'localhost' : hostInUrl(host)}:${port}`;
}

function hostInUrl(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
