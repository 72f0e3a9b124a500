import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { openSecret, sealedRow } from '../accounts/identity-providers-secrets.ts';
import { hookSecret, sealHook } from '../resources/claims-hook.ts';
import { openToken, sealTokens } from '../upstream/connections-sealing.ts';
import { secretContext } from '../upstream/registration-row.ts';
import { openSecrets, sealSecrets } from '../upstream/server-secrets.ts';
import { sealContext } from './rotate.ts';
import { sealedColumns } from './sealed-columns.ts';
import { createSecretBox } from './secret-box.ts';

const old = createSecretBox(randomBytes(32));
const now = createSecretBox(randomBytes(32));

/** Seals a value anew as `key reencrypt` does, from what the row says. */
function resealed(place: string, row: Record<string, unknown>, sealed: string | null): string {
  const column = sealedColumns.find(({ table, column }) => `${table}.${column}` === place);
  if (!column || sealed === null) throw new Error(`no ${place}`);
  const context = column.context(row);
  return now.seal(old.open(sealed, context), context);
}

it('MUST know the context of every room, so that the room opens what was sealed anew', () => {
  const owner = { serverId: 7, userId: 'usr_1', issuer: 'https://as.test/x' };
  const upstream = { server_id: 7, user_id: 'usr_1', issuer: owner.issuer, id: '1' };
  for (const table of ['upstream_connections', 'upstream_revocations']) {
    const tokens = sealTokens(old, owner, { accessToken: 'at', refreshToken: 'rt' });
    const access = resealed(`${table}.access_sealed`, upstream, tokens.access_sealed);
    expect(openToken(now, owner, 'access', access)).toBe('at');
    const refresh = resealed(`${table}.refresh_sealed`, upstream, tokens.refresh_sealed);
    expect(openToken(now, owner, 'refresh', refresh)).toBe('rt');
  }
  for (const table of ['upstream_registrations', 'upstream_revocations']) {
    const secret = old.seal('cs', secretContext(owner));
    const anew = resealed(`${table}.client_secret_sealed`, upstream, secret);
    expect(now.open(anew, secretContext(owner))).toBe('cs');
  }

  const place = { uuid: 'u-1', url: 'https://mcp.test:8443/a?b' };
  const secrets = { apiKey: 'k', oauthClientSecret: 's', headers: { 'X-A': 'v' } };
  const stored = { ...place, ...sealSecrets(old, place, secrets) };
  const row = { ...stored };
  for (const name of ['api_key_sealed', 'headers_sealed', 'oauth_client_secret_sealed'] as const) {
    row[name] = resealed(`mcp_servers.${name}`, stored, stored[name]);
  }
  expect(openSecrets(now, row)).toEqual(secrets);

  const columns = {
    ...{ slug: 'idp', issuer: 'https://idp.test', client_id: 'c', display_name: 'd' },
    client_secret: 'top',
    settings: {
      ...{ scopes: [], groups_claim: 'g', roles: {}, groups: {}, automatic: true },
      private_network: false,
    },
  };
  const provider = sealedRow(old, columns);
  const sealed = resealed(
    'identity_providers.client_secret_sealed',
    { ...columns },
    provider.client_secret_sealed,
  );
  expect(openSecret(now, { ...columns, client_secret_sealed: sealed })).toBe('top');

  const uri = 'https://rs.test/mcp';
  const hook = { url: 'https://h.test', secret: 'hs', timeout: 1, on_failure: 'deny' as const };
  const claimsHook = sealHook(old, uri, hook);
  const anew = resealed('resources.claims_hook', { uri }, claimsHook.sealed);
  expect(hookSecret(now, { uri, claimsHook: { ...claimsHook, sealed: anew } })).toBe('hs');

  const key = old.seal('{}', sealContext('k1'));
  const sealedKey = resealed('signing_keys.private_sealed', { kid: 'k1' }, key);
  expect(now.open(sealedKey, sealContext('k1'))).toBe('{}');
});
