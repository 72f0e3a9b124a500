import { decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isActive } from '../provider/answers.testing.ts';
import { tokens } from '../provider/flow.testing.ts';
import { webSecret } from '../provider/server.testing.ts';
import { startApi, type TestApi } from './api.testing.ts';
import { keys } from './contract/index.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

const list = async () => (await api.client.call(keys.list)).items;
const published = async () => {
  const answer = await fetch(`${api.server.url}/.well-known/jwks.json`);
  const { keys: set }: { keys: { kid: string }[] } = JSON.parse(await answer.text());
  return set.map(({ kid }) => kid);
};
const kidOf = (token: string) => decodeProtectedHeader(token).kid;

test('shows the published keys and the schedule, and no private part', async () => {
  const { json, body } = await api.get('/admin/api/keys');
  expect(json).toMatchObject({
    items: [{ state: 'current', alg: 'ES256', retired_at: null, published_until: null }],
    schedule: { algorithm: 'ES256', rotate_every: 7_776_000, publish_before: 86_400 },
  });
  expect(json.items[0].id).toBe(json.items[0].kid);
  expect(await published()).toEqual([json.items[0].kid]);
  expect(body).not.toMatch(/"d"|private|sealed/);
  const next = Date.parse(json.schedule.next_rotation_at) - Date.parse(json.items[0].signs_from);
  expect(next).toBe(7_776_000_000);
});

test('rotating publishes the next key, which signs later; doing it again is the same key', async () => {
  const next = await api.client.call(keys.rotate, { body: {} });
  expect(next).toMatchObject({ state: 'next' });
  expect((await api.client.call(keys.rotate, { body: {} })).kid).toBe(next.kid);
  const [current] = await list();
  expect(current).toMatchObject({ state: 'current', signs_until: next.signs_from });
  expect(await published()).toEqual([current?.kid, next.kid]);
  expect(kidOf((await tokens(api.server)).access_token)).toBe(current?.kid);
  expect((await api.audited('key_published')).at(-1)).toMatchObject({ actor_kind: 'admin' });
});

test('by force the next key signs at once, and what the one before signed stays good', async () => {
  const { access_token: before } = await tokens(api.server);
  const forced = await api.client.call(keys.rotate, { body: { force: true } });
  expect(forced).toMatchObject({ state: 'current' });
  expect(kidOf((await tokens(api.server)).access_token)).toBe(forced.kid);
  expect(await isActive(api.server, before, webSecret)).toBe(true);
  expect((await list()).map(({ state }) => state)).toEqual(['current', 'retired']);
});

test('a key that others know is withdrawn: another MUST sign first, and what it signed is refused', async () => {
  const { access_token: stolen } = await tokens(api.server);
  const kid = kidOf(stolen) ?? '';
  const answer = await api.client.call(keys.revoke, { params: { id: kid } });
  expect(answer).toMatchObject({ revoked: kid, current: { state: 'current' } });
  expect(answer.current.kid).not.toBe(kid);
  expect(await published()).not.toContain(kid);
  expect(await isActive(api.server, stolen, webSecret)).toBe(false);
  const { access_token: fresh } = await tokens(api.server);
  expect(kidOf(fresh)).toBe(answer.current.kid);
  expect(await isActive(api.server, fresh, webSecret)).toBe(true);
  expect(await api.audited('key_withdrawn')).toMatchObject([
    { actor_kind: 'admin', detail: { kid, signed_until_now: true } },
  ]);
});

test('the keys that sign no more and that wait can be withdrawn; there is always one that signs', async () => {
  await api.client.call(keys.rotate, { body: {} });
  for (const { kid, state } of await list()) {
    if (state !== 'current') await api.client.call(keys.revoke, { params: { id: kid } });
  }
  const left = await list();
  expect(left.map(({ state }) => state)).toEqual(['current']);
  expect((await api.post('/admin/api/keys/unknown/revoke', {})).status).toBe(404);
  expect(await list()).toEqual(left);
});

test('while keys are rotated under load no token fails to verify (R20)', async () => {
  let done = false;
  const refused: string[] = [];
  const work = async () => {
    while (!done) {
      const { access_token: token } = await tokens(api.server);
      if (!(await isActive(api.server, token, webSecret))) refused.push(String(kidOf(token)));
    }
  };
  const load = [work(), work()];
  for (let round = 0; round < 4; round += 1) {
    await api.client.call(keys.rotate, { body: { force: true } });
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  done = true;
  await Promise.all(load);
  expect(refused).toEqual([]);
});
