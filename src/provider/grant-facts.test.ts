import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { grantTypes } from '../oauth/index.ts';
import { servedGrants } from './grant-facts.ts';
import { grantReference } from './index.ts';

const on = { enabled: true };
const everything = {
  client_credentials: on,
  device: on,
  token_exchange: { ...on, max_chain_depth: 3 },
  xaa: on,
};

test('docs/grants.md is not stale', () => {
  const committed = readFileSync(new URL('../../docs/grants.md', import.meta.url), 'utf8');
  expect(committed).toBe(grantReference());
});

test('every grant type that has a name here is served unless it is switched off', () => {
  expect(servedGrants(everything).sort()).toEqual(Object.values(grantTypes).sort());
});

test.each([
  ['client_credentials', grantTypes.clientCredentials],
  ['device', grantTypes.deviceCode],
  ['token_exchange', grantTypes.tokenExchange],
  ['xaa', grantTypes.jwtBearer],
])('%s.enabled: false takes %s away', (setting, grantType) => {
  const config = { ...everything, [setting]: { enabled: false, max_chain_depth: 3 } };
  expect(servedGrants(config)).not.toContain(grantType);
});
