import { aResource } from '../resources/resource.testing.ts';
import type { IssuedToken } from './exchange.ts';

export const now = new Date('2030-01-01T00:00:00Z');

/** A live access token of a person for `https://rs1.test/mcp`, issued to WEB, for five more minutes. */
export function anIssued(changes: Partial<IssuedToken> = {}): IssuedToken {
  return {
    jti: 'jti-1',
    kind: 'access_token',
    grant_type: 'authorization_code',
    client_id: 'WEB',
    sub: 'usr_alice',
    resource: 'https://rs1.test/mcp',
    scope: 'write',
    token_type: 'Bearer',
    issued_at: now,
    expires_at: new Date(now.getTime() + 300_000),
    family_id: 'family',
    grant_id: 'gr_1',
    username: 'alice@example.test',
    last_used_at: null,
    alive: true,
    ...changes,
  };
}

/** The resource that {@link anIssued} is for; RS1 is its server. */
export const source = aResource({ clients: ['RS1'] });

/** Another resource, towards which GW may exchange. */
export function aTarget(changes: Parameters<typeof aResource>[0] = {}) {
  return aResource({
    uri: 'https://rs2.test/mcp',
    slug: 'rs2',
    scopes: [
      { name: 'use', description: 'Use', implies: [] },
      { name: 'manage', description: 'Manage', implies: ['use'] },
      { name: 'admin', description: 'Everything', implies: [] },
    ],
    exchange: { clients: ['GW'], consent: 'required', impersonation: [] },
    ...changes,
  });
}
