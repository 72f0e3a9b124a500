import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { testDatabase } from '../db/database.testing.ts';
import type { Database } from '../db/index.ts';
import { createTrustedIssuers, type TrustedIssuers } from './trusted-issuers.ts';
import type { DeclaredIssuer } from './trusted-issuers-policy.ts';

const now = () => new Date('2026-03-01T12:00:00Z');
const meta = { at: now() };
const log = { error: () => {} };
const issuer = 'https://idp.test';

let db: Database;
let trusted: TrustedIssuers;
let before = 0;
beforeAll(async () => {
  db = await testDatabase();
});
beforeEach(async () => {
  await db.kysely.deleteFrom('trusted_issuers').execute();
  before = (await audit()).length;
  trusted = await createTrustedIssuers({ db, now, log, issuer: 'https://auth.test' });
});
afterEach(() => trusted.close());
afterAll(() => db.close());

function audit() {
  return db.kysely.selectFrom('audit_events').select(['type', 'detail']).orderBy('id').execute();
}

const fresh = async () => (await audit()).slice(before);

function declared(changes: Partial<DeclaredIssuer> = {}): DeclaredIssuer {
  return { issuer, subject: 'automatic', ...changes };
}

const report = { created: [], updated: [], removedFromConfig: [], foreign: [] };

test('a declared issuer is trusted, audited, and found byte for byte', async () => {
  const row = declared({ clients: ['app'], scopes: ['read'], jwks: { keys: [{ kty: 'EC' }] } });
  expect(await trusted.reconcile([row], meta)).toEqual({ ...report, created: [issuer] });
  expect(trusted.find(issuer)).toEqual({
    ...{ createdAt: now(), updatedAt: now() },
    ...{ issuer, subject: 'automatic', enabled: true, source: 'config' },
    ...{ clients: ['app'], scopes: ['read'], jwks: { keys: [{ kty: 'EC' }] } },
  });
  for (const other of [`${issuer}/`, 'https://IDP.test', ''])
    expect(trusted.find(other)).toBeUndefined();
  expect((await fresh()).map(({ type }) => type)).toEqual([
    'trusted_issuer_created',
    'config_reconciled',
  ]);
});

test('the same declaration again changes nothing and says nothing', async () => {
  const row = declared({ jwks: { keys: [{ kty: 'EC', crv: 'P-256', x: 'x' }] }, resources: [] });
  await trusted.reconcile([row], meta);
  const seen = (await fresh()).length;
  expect(await trusted.reconcile([row], meta)).toEqual(report);
  expect(await fresh()).toHaveLength(seen);
});

test('a changed declaration changes the row and says what changed', async () => {
  await trusted.reconcile([declared({ clients: ['app'] })], meta);
  const changed = declared({ subject: 'strict' });
  expect(await trusted.reconcile([changed], meta)).toEqual({ ...report, updated: [issuer] });
  expect(trusted.find(issuer)).toEqual({
    issuer,
    subject: 'strict',
    enabled: true,
    source: 'config',
    createdAt: now(),
    updatedAt: now(),
  });
  expect((await fresh()).find(({ type }) => type === 'trusted_issuer_updated')?.detail).toEqual({
    issuer,
    changes: [
      { field: 'clients', from: ['app'], to: null },
      { field: 'subject', from: 'automatic', to: 'strict' },
    ],
  });
});

test('an issuer that is no longer declared is reported and left alone', async () => {
  await trusted.reconcile([declared()], meta);
  expect(await trusted.reconcile([], meta)).toEqual({ ...report, removedFromConfig: [issuer] });
  expect(trusted.find(issuer)).toBeDefined();
});

test('an issuer made elsewhere is not touched', async () => {
  const times = { created_at: now(), updated_at: now() };
  const row = { issuer, jwks: null, subject: 'strict', source: 'admin', ...times } as const;
  await db.kysely.insertInto('trusted_issuers').values(row).execute();
  expect(await trusted.reconcile([declared()], meta)).toEqual({ ...report, foreign: [issuer] });
  expect(trusted.find(issuer)?.subject).toBe('strict');
});

test('a disabled issuer is not found, stays disabled at the next start, and is audited once', async () => {
  const by = { actor: { kind: 'cli' as const, id: 'ada' }, meta };
  await trusted.reconcile([declared()], meta);
  for (let n = 0; n < 2; n += 1) expect(await trusted.setEnabled(issuer, false, by)).toBe(true);
  expect(trusted.find(issuer)).toBeUndefined();
  await trusted.reconcile([declared({ subject: 'strict' })], meta);
  expect(trusted.find(issuer)).toBeUndefined();
  expect(trusted.all()).toMatchObject([{ issuer, enabled: false, subject: 'strict' }]);
  const switched = (await fresh()).filter(({ detail }) =>
    JSON.stringify(detail).includes('"enabled"'),
  );
  expect(switched).toHaveLength(1);
  expect(await trusted.setEnabled('https://other.test', false, by)).toBe(false);
});

test('another replica sees a change', async () => {
  const other = await createTrustedIssuers({ db, now, log, issuer: 'https://auth.test' });
  try {
    await trusted.reconcile([declared()], meta);
    await expect.poll(() => other.find(issuer)?.issuer).toBe(issuer);
  } finally {
    await other.close();
  }
});
