import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createTestDatabase } from '../db/postgres.testing.ts';
import { createPlace, freePort, type Place, ready } from './process.testing.ts';

/** `authserver backup` of a Postgres that is being written to, and `restore` into another one. */

const secret = 'machine-secret-0123456789';
const basic = `Basic ${Buffer.from(`M:${secret}`).toString('base64')}`;

function configure(place: Place, file: string, [port, adminPort]: number[], dsn: string): string {
  place.write(
    file,
    `server: { issuer: "http://localhost:9000", address: "127.0.0.1:${port}", shutdown_wait: 5s }
admin: { address: "127.0.0.1:${adminPort}" }
rate_limit: { enabled: false }
session: { secret: ${'s'.repeat(40)} }
data_encryption: { key: ${Buffer.alloc(32, 7).toString('base64')} }
storage: { driver: postgres, postgres: { dsn: "${dsn}" } }
resources: [{ slug: r, uri: "https://r.test/mcp", display_name: R, token_format: opaque, scopes: [{ name: a }], clients: [M] }]
clients: [{ client_id: M, client_secret: ${secret}, grant_types: [client_credentials] }]
`,
  );
  return `http://127.0.0.1:${port}`;
}

async function post(url: string, path: string, form: Record<string, string>) {
  const body = new URLSearchParams(form);
  const headers = { authorization: basic };
  const answer = await fetch(`${url}${path}`, { method: 'POST', body, headers });
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
  const text = await answer.text();
  return text === '' ? {} : JSON.parse(text);
}

/** Issues and revokes until it is told to stop, and keeps what was acknowledged. */
function startLoad(url: string) {
  const live: string[] = [];
  const revoked: string[] = [];
  let stopped = false;
  async function work() {
    while (!stopped) {
      const { access_token: token } = await post(url, '/oauth/token', {
        grant_type: 'client_credentials',
      });
      if (Math.random() < 0.5) {
        await post(url, '/oauth/revoke', { token });
        revoked.push(token);
      } else live.push(token);
    }
  }
  const workers = [work(), work(), work(), work()];
  return {
    acknowledged: () => ({ live: [...live], revoked: [...revoked] }),
    async stop() {
      stopped = true;
      await Promise.all(workers);
    },
  };
}

test('a backup under load MUST hold all that was acknowledged before it, and what was revoked stays revoked (R28)', async () => {
  const place = createPlace();
  await using _place = place;
  const ports = [await freePort(), await freePort()];
  const url = configure(place, 'old.yaml', ports, await createTestDatabase('backup_of'));
  const old = place.start(['serve', '--config', 'old.yaml']);
  await ready(url, old);
  const load = startLoad(url);
  await pause(1500);
  const before = load.acknowledged();
  const backup = await place.run(['backup', '--config', 'old.yaml', '--out', 'all.backup']);
  await load.stop();
  old.child.kill('SIGTERM');
  await old.ended;
  expect(backup, backup.stderr).toMatchObject({ code: 0 });

  configure(place, 'new.yaml', ports, await createTestDatabase('restored_to'));
  const restored = await place.run(['restore', '--config', 'new.yaml', 'all.backup']);
  expect(restored, restored.stderr).toMatchObject({ code: 0 });
  const server = place.start(['serve', '--config', 'new.yaml']);
  await ready(url, server);
  const active = async (token: string): Promise<boolean> =>
    (await post(url, '/oauth/introspect', { token })).active;
  const states = (tokens: string[]) => Promise.all(tokens.slice(0, 100).map(active));
  expect(before.live.length).toBeGreaterThan(10);
  expect(before.revoked.length).toBeGreaterThan(10);
  expect(new Set(await states(before.live))).toEqual(new Set([true]));
  expect(new Set(await states(before.revoked))).toEqual(new Set([false]));
  const { access_token: fresh } = await post(url, '/oauth/token', {
    grant_type: 'client_credentials',
  });
  expect(await active(fresh)).toBe(true);
});
