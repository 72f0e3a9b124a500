import { z } from 'zod';
import { type SecretBox, SecretBoxError } from '../keys/index.ts';
import type { ServerRow } from './server.ts';
import type { ServerSecrets } from './server-policy.ts';

type Sealed = Pick<
  ServerRow,
  'api_key_sealed' | 'headers_sealed' | 'header_names' | 'oauth_client_secret_sealed'
>;
type Place = Pick<ServerRow, 'uuid' | 'url'>;

const storedHeaders = z.record(z.string(), z.string());

/**
 * Bound to the row and to the origin: what was given for one server opens for no other, also where somebody
 * writes a sealed value or another URL into the table.
 */
export function contextOf({ uuid, url }: Place, what: string): string {
  return `mcp_server:${uuid}:${new URL(url).origin}:${what}`;
}

/** Secrets as they are stored. */
export function sealSecrets(box: SecretBox, place: Place, secrets: ServerSecrets): Sealed {
  const seal = (what: string, value: string | undefined) =>
    value === undefined ? null : box.seal(value, contextOf(place, what));
  const names = Object.keys(secrets.headers);
  return {
    api_key_sealed: seal('api_key', secrets.apiKey),
    oauth_client_secret_sealed: seal('oauth_client_secret', secrets.oauthClientSecret),
    header_names: names,
    headers_sealed: seal('headers', names.length > 0 ? JSON.stringify(secrets.headers) : undefined),
  };
}

/** Stored secrets in the clear; one that does not open is none. */
export function openSecrets(box: SecretBox, row: Sealed & Place): ServerSecrets {
  const open = (what: string, sealed: string | null) => {
    if (sealed === null) return undefined;
    try {
      return box.open(sealed, contextOf(row, what));
    } catch (error) {
      if (error instanceof SecretBoxError) return undefined;
      throw error;
    }
  };
  const headers = open('headers', row.headers_sealed);
  return {
    apiKey: open('api_key', row.api_key_sealed),
    oauthClientSecret: open('oauth_client_secret', row.oauth_client_secret_sealed),
    headers: headers === undefined ? {} : storedHeaders.parse(JSON.parse(headers)),
  };
}
