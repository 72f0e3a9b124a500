import { describe, expect, it } from 'vitest';
import { OAuthError } from '../oauth/index.ts';
import { createClientKeys } from './client-keys.ts';
import { clientsConfig, publicKey, silentLog, testClock, testWeb } from './clients.testing.ts';
import { decidePreregistered } from './policy.ts';
import type { Client } from './types.ts';

const uri = 'https://app.test/jwks.json';
const [one, two] = [publicKey('EC', 'one'), publicKey('EC', 'two')];

function setUp(members: object = { jwks_uri: uri }, kind: Client['kind'] = 'cimd') {
  const clock = testClock();
  const web = testWeb(clock.now);
  const operators = testWeb(clock.now);
  const { metadata } = decidePreregistered(
    { redirect_uris: ['https://app.test/cb'], ...members },
    clientsConfig(),
  );
  const keysFor = createClientKeys({
    ...{ fetch: web.fetch, operatorFetch: operators.fetch },
    ...{ now: clock.now, log: silentLog },
  });
  const client = { clientId: 'app', kind, metadata };
  const kids = async (kid?: string) => (await keysFor(client, { kid }))?.keys.map((key) => key.kid);
  const strangersKids = async () =>
    (await keysFor({ ...client, kind: 'cimd' }, {}))?.keys.map((key) => key.kid);
  return { clock, web, operators, kids, strangersKids };
}

describe('the keys of a client', () => {
  it('in its metadata are used as they are', async () => {
    const { web, kids } = setUp({ jwks: { keys: [one] } });
    expect(await kids('unknown')).toEqual(['one']);
    expect(web.asked).toEqual([]);
  });

  it('a client without any has none', async () => {
    expect(await setUp({}).kids()).toBeUndefined();
  });

  it('at its jwks_uri are fetched once and kept for ten minutes', async () => {
    const { web, clock, kids } = setUp();
    web.serve(uri, { keys: [one] });
    expect(await Promise.all([kids('one'), kids('one'), kids()])).toEqual([
      ['one'],
      ['one'],
      ['one'],
    ]);
    clock.advance(599);
    await kids('one');
    expect(web.asked).toHaveLength(1);
    clock.advance(2);
    await kids('one');
    expect(web.asked).toHaveLength(2);
  });

  it('are fetched again for an unknown kid, at most once a minute', async () => {
    const { web, clock, kids } = setUp();
    web.serve(uri, { keys: [one] });
    await kids('one');
    web.serve(uri, { keys: [one, two] });
    expect(await kids('two')).toEqual(['one']);
    clock.advance(61);
    expect(await kids('two')).toEqual(['one', 'two']);
    for (let count = 0; count < 100; count += 1) await kids(`made-up-${count}`);
    expect(web.asked).toHaveLength(2);
  });

  it('of a client that an operator made are not fetched within the limits of strangers, nor kept with theirs', async () => {
    const { web, operators, kids, strangersKids } = setUp({ jwks_uri: uri }, 'preregistered');
    web.fail(uri, { kind: 'busy', scope: 'host' });
    operators.serve(uri, { keys: [one] });
    await expect(strangersKids()).rejects.toThrow(OAuthError);
    expect(await kids('one')).toEqual(['one']);
    await expect(strangersKids()).rejects.toThrow(OAuthError);
    expect(operators.asked).toHaveLength(1);
  });

  it('CI18: that cannot be had are invalid_client, and are not asked for again at once', async () => {
    const { web, clock, kids } = setUp();
    web.fail(uri, { kind: 'timeout' });
    const refused = expect.objectContaining({ error: 'invalid_client', status: 401 });
    await expect(kids('one')).rejects.toThrow(OAuthError);
    await expect(kids('one')).rejects.toEqual(refused);
    expect(web.asked).toHaveLength(1);
    web.serve(uri, { keys: [one] });
    clock.advance(16);
    expect(await kids('one')).toEqual(['one']);
  });

  it('that were good stay good for an hour while they cannot be fetched', async () => {
    const { web, clock, kids } = setUp();
    web.serve(uri, { keys: [one] });
    await kids('one');
    web.fail(uri, { kind: 'timeout' });
    clock.advance(1800);
    expect(await kids('one')).toEqual(['one']);
    clock.advance(1900);
    await expect(kids('one')).rejects.toThrow(OAuthError);
  });

  it('a set with a private or symmetric key is refused as a whole', async () => {
    const { web, kids } = setUp();
    web.serve(uri, { keys: [one, { kty: 'oct', k: 'c2VjcmV0' }] });
    await expect(kids('one')).rejects.toThrow(OAuthError);
  });
});
