import { expect, test } from 'vitest';
import type { ClaimsMapping } from '../config/index.ts';
import { customClaims, fits, requireFitting, tellsOfUser } from './claims.ts';

const user = {
  id: 'usr_1',
  email: 'ada@example.test',
  name: 'Ada',
  role: 'operator',
  groups: ['staff', 'admins', 'red'],
};
const client = { clientId: 'app', clientName: 'My app', kind: 'preregistered' };
const workspace = {
  id: '8c1c5e6e-0000-4000-8000-000000000001',
  slug: 'acme',
  name: 'Acme Inc.',
  role: 'admin',
};

const everything: ClaimsMapping = {
  id: 'user.id',
  email: 'user.email',
  name: 'user.name',
  role: 'user.role',
  groups: 'user.groups',
  app: 'client.client_id',
  'https://example.test/app': 'client.client_name',
  kind: 'client.kind',
  workspace: 'workspace.id',
  workspace_slug: 'workspace.slug',
  workspace_name: 'workspace.name',
  workspace_role: 'workspace.role',
  plan: { value: 'pro' },
  seats: { value: 3 },
  trial: { value: false },
  features: { value: ['a', 1, true] },
  admin: { group: 'admins' },
  owner: { group: 'owners' },
  teams: { groups: ['blue', 'red', 'staff'] },
  none: { groups: ['blue'] },
};

test('every source gives its value', () => {
  expect(customClaims({ mapping: everything, user, client, workspace })).toEqual({
    id: 'usr_1',
    email: 'ada@example.test',
    name: 'Ada',
    role: 'operator',
    groups: ['staff', 'admins', 'red'],
    app: 'app',
    'https://example.test/app': 'My app',
    kind: 'preregistered',
    workspace: workspace.id,
    workspace_slug: 'acme',
    workspace_name: 'Acme Inc.',
    workspace_role: 'admin',
    plan: 'pro',
    seats: 3,
    trial: false,
    features: ['a', 1, true],
    admin: true,
    owner: false,
    teams: ['red', 'staff'],
  });
});

test('what is unknown is left out, never null', () => {
  const nobody = { id: 'usr_2', email: 'b@example.test', groups: [] };
  const mapping = { ...everything };
  expect(customClaims({ mapping, user: nobody, client: { clientId: 'x', kind: 'dcr' } })).toEqual({
    id: 'usr_2',
    email: 'b@example.test',
    app: 'x',
    kind: 'dcr',
    plan: 'pro',
    seats: 3,
    trial: false,
    features: ['a', 1, true],
    admin: false,
    owner: false,
  });
});

test('a machine has nothing of a user, not even a group that it is not in', () => {
  const claims = customClaims({ mapping: everything, client });
  const names = ['app', 'https://example.test/app', 'kind', 'plan', 'seats', 'trial', 'features'];
  expect(Object.keys(claims)).toEqual(names);
});

test('a personal access token has nothing of a client', () => {
  const claims = customClaims({ mapping: everything, user });
  for (const name of ['app', 'kind', 'https://example.test/app'])
    expect(claims).not.toHaveProperty([name]);
  expect(claims).toMatchObject({ email: 'ada@example.test', plan: 'pro' });
});

test.each<[ClaimsMapping, boolean]>([
  [{}, false],
  [{ a: 'client.client_id', b: { value: 'user.email' }, c: 'workspace.id' }, false],
  [{ a: 'user.name' }, true],
  [{ a: { group: 'x' } }, true],
  [{ a: { groups: ['x'] } }, true],
])('the user is read only where something is told of them: %j', (mapping, told) => {
  expect(tellsOfUser(mapping)).toBe(told);
});

test('claims larger than 2 KB of JSON are refused, not cut', () => {
  const names = (length: number) => ({ groups: ['g'.repeat(length - '{"groups":[""]}'.length)] });
  expect(fits(names(2048))).toBe(true);
  expect(() => requireFitting(names(2048))).not.toThrow();
  expect(() => requireFitting(names(2049))).toThrow(/server_error: .*larger than 2048 bytes/);
  expect(fits({ a: 'é'.repeat(1024) })).toBe(false); // bytes, not characters
});
