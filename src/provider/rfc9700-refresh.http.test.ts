import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { basic, granted, isActive, ownClock, refused, stored } from './answers.testing.ts';
import { code, good, redeem, refresh, tokens } from './flow.testing.ts';
import { startServer, type TestServer, webCallback, webSecret } from './server.testing.ts';

let server: TestServer;
const clock = ownClock();
beforeAll(async () => {
  server = await startServer({ extra: 'tokens: { refresh_ttl: 2h, refresh_absolute_ttl: 5h }' });
});
afterAll(async () => {
  await server.close();
  clock.release();
});

const asWeb = basic('WEB', webSecret);
const overlap = 60;

/** Tokens of the confidential client. */
async function webTokens() {
  const flow = good({ client_id: 'WEB', redirect_uri: webCallback });
  return granted(await redeem(server, flow, await code(server, flow), {}, asWeb));
}

async function audited(type: string, familyId: string | null) {
  const rows = await server.db.kysely
    .selectFrom('audit_events')
    .where('type', '=', type)
    .selectAll()
    .execute();
  return rows.filter(({ detail }) => JSON.stringify(detail).includes(String(familyId)));
}

describe('rotation (RFC 9700 §4.14.2)', () => {
  test.each([
    ['public', tokens, {}, {}],
    ['confidential', webTokens, { client_id: 'WEB' }, asWeb],
  ])('a %s client MUST get another token at every use', async (_kind, start, form, headers) => {
    const first = await start(server);
    const seen = [first.refresh_token];
    for (let use = 0; use < 5; use += 1) {
      const next = await granted(await refresh(server, seen.at(-1) ?? '', form, headers));
      expect(await isActive(server, next.access_token, webSecret)).toBe(true);
      seen.push(next.refresh_token);
    }
    expect(new Set(seen)).toHaveLength(6);
  });

  test('a token MUST NOT be stored anywhere, nor logged', async () => {
    const { refresh_token } = await tokens(server);
    const next = await granted(await refresh(server, refresh_token));
    const rows = await server.db.kysely.selectFrom('artifacts').selectAll().execute();
    for (const value of [refresh_token, next.refresh_token, next.access_token]) {
      expect(JSON.stringify(rows)).not.toContain(value);
      expect(server.logged()).not.toContain(value);
    }
  });

  test('a family MUST end at its absolute lifetime, however often it was refreshed', async () => {
    let { refresh_token } = await tokens(server);
    for (let hour = 1; hour <= 4; hour += 1) {
      clock.advance(3600);
      ({ refresh_token } = await granted(await refresh(server, refresh_token)));
    }
    expect(
      new Date((await stored(server, refresh_token)).expires_at).getTime() - Date.now(),
    ).toBeLessThan(3601_000);
    clock.advance(3600);
    await refused(await refresh(server, refresh_token), 400, 'invalid_grant');
  });

  test('a token that is not used MUST end before that', async () => {
    const { refresh_token } = await tokens(server);
    clock.advance(7201);
    await refused(await refresh(server, refresh_token), 400, 'invalid_grant');
  });
});

describe('the overlap window', () => {
  test('50 parallel uses MUST all get the same successor, and one of them is new', async () => {
    const { refresh_token } = await tokens(server);
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => refresh(server, refresh_token)),
    );
    const bodies = await Promise.all(answers.map(granted));
    const successors = new Set(bodies.map((body) => body.refresh_token));
    expect(successors).toHaveLength(1);
    expect(new Set(bodies.map((body) => body.access_token))).toHaveLength(50);
    const { family_id } = await stored(server, refresh_token);
    const live = server.db.kysely.selectFrom('artifacts').where('family_id', '=', family_id);
    const unused = await live
      .where('kind', '=', 'RefreshToken')
      .where('consumed_at', 'is', null)
      .select('id')
      .execute();
    expect(unused).toHaveLength(1);
    await granted(await refresh(server, [...successors][0] ?? ''));
    const events = await audited('token_refreshed', family_id);
    expect(events.filter(({ detail }) => !JSON.stringify(detail).includes('overlap'))).toHaveLength(
      2,
    );
  });

  test('a stale generation MUST get the newest token of its chain', async () => {
    const { refresh_token: first } = await tokens(server);
    const second = await granted(await refresh(server, first));
    const third = await granted(await refresh(server, second.refresh_token));
    for (const stale of [first, second.refresh_token, first]) {
      expect(await granted(await refresh(server, stale))).toMatchObject({
        refresh_token: third.refresh_token,
      });
    }
    await granted(await refresh(server, third.refresh_token));
  });

  test('an answer in the window MUST go to the same client authentication only', async () => {
    const { refresh_token } = await webTokens();
    await granted(await refresh(server, refresh_token, { client_id: 'WEB' }, asWeb));
    const wrong = basic('WEB', 'wrong');
    await refused(
      await refresh(server, refresh_token, { client_id: 'WEB' }, wrong),
      401,
      'invalid_client',
    );
    await refused(await refresh(server, refresh_token), 400, 'invalid_grant');
    await granted(await refresh(server, refresh_token, { client_id: 'WEB' }, asWeb));
  });

  test("its access token has the request's scope", async () => {
    const { refresh_token } = await tokens(server, good({ scope: 'mcp:read mcp:write' }));
    await granted(await refresh(server, refresh_token));
    const narrow = await granted(await refresh(server, refresh_token, { scope: 'mcp:read' }));
    expect(narrow.scope).toBe('mcp:read');
    const wide = { scope: 'mcp:read mcp:write two:use' };
    await refused(await refresh(server, refresh_token, wide), 400, 'invalid_scope');
  });

  test('the sealed successor MUST be erased when the window closes', async () => {
    const { refresh_token } = await tokens(server);
    await granted(await refresh(server, refresh_token));
    const { sweep } = server.app.rooms.tokens;
    const closeWindows = () => sweep.closeOverlaps(new Date(Date.now() - overlap * 1000));
    await closeWindows();
    expect((await stored(server, refresh_token)).successor_sealed).not.toBeNull();
    clock.advance(overlap + 1);
    await closeWindows();
    expect((await stored(server, refresh_token)).successor_sealed).toBeNull();
  });
});

describe('reuse after the window', () => {
  test('it MUST end the family, that family only, and be recorded with a verdict', async () => {
    const [mine, other] = [await tokens(server), await tokens(server)];
    const next = await granted(await refresh(server, mine.refresh_token));
    clock.advance(overlap + 1);
    await refused(await refresh(server, mine.refresh_token), 400, 'invalid_grant');
    await refused(await refresh(server, next.refresh_token), 400, 'invalid_grant');
    expect(await isActive(server, next.access_token, webSecret)).toBe(false);
    expect(await isActive(server, other.access_token, webSecret)).toBe(true);
    await granted(await refresh(server, other.refresh_token));
    // The used token stays: were it removed first, a failure in between would hide the reuse for good.
    const { family_id } = await stored(server, mine.refresh_token);
    expect(await audited('refresh_token_reused', family_id)).toMatchObject([
      { client_id: 'PUB', detail: { family_id, verdict: 'late_retry', age: overlap + 1 } },
    ]);
  });

  test('much later it MUST be recorded as a possible theft', async () => {
    const { refresh_token } = await tokens(server);
    await granted(await refresh(server, refresh_token));
    clock.advance(3600);
    await refused(await refresh(server, refresh_token), 400, 'invalid_grant');
    const { family_id } = await stored(server, refresh_token);
    expect(await audited('refresh_token_reused', family_id)).toMatchObject([
      { detail: { verdict: 'possible_theft', age: 3600 } },
    ]);
  });

  test('a foreign client MUST NOT be able to end a family', async () => {
    const { refresh_token } = await tokens(server);
    const next = await granted(await refresh(server, refresh_token));
    clock.advance(overlap + 1);
    const foreign = await refresh(server, refresh_token, { client_id: 'WEB' }, asWeb);
    await refused(foreign, 400, 'invalid_grant');
    await granted(await refresh(server, next.refresh_token));
  });
});
