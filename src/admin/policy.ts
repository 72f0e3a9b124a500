import { isLoopbackHost } from '../config/index.ts';

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
