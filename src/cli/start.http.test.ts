import { once } from 'node:events';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { refusingPostgres } from './postgres-refusal.testing.ts';
import {
  createPlace,
  type Ended,
  freePort,
  localServer,
  type Place,
  ready,
} from './process.testing.ts';

const serve = ['serve', '--config', 'config.yaml'];

/** What the smallest command takes here and now, in milliseconds: half a second where nothing else runs. */
let bare = 0;

beforeAll(async () => {
  await using place = createPlace();
  const runs = [await place.run(['version']), await place.run(['version'])];
  bare = Math.max(...runs.map(({ milliseconds }) => milliseconds));
});

/** A limit in milliseconds, stretched where the machine is busy with other work. */
function soon(limit: number): number {
  const [load = 0] = loadavg();
  return limit * Math.max(1, bare / 500, load / availableParallelism());
}

/** One sentence on standard error, an exit code, soon, and nothing left. */
function expectRefusal(ended: Ended, code: number, says: RegExp): void {
  expect(ended.stderr.trim()).toMatch(says);
  expect(ended.stderr.trim().split('\n')).toHaveLength(1);
  expect(ended.stderr).not.toMatch(/\n\s+at /); // a stack
  expect(ended.code).toBe(code);
  expect(ended.milliseconds).toBeLessThan(soon(2000));
}

async function configured(place: Place, more = ''): Promise<number> {
  const port = await freePort();
  place.write('config.yaml', localServer(port, await freePort(), more));
  return port;
}

describe('a configuration with a mistake MUST end the start within 2 s with file, line, key and fix', () => {
  it.each([
    ['bad YAML', 'server: { issuer: "', /^config\.yaml:1: /],
    ['an unknown key', 'servre: {}', /^config\.yaml:1: servre: .*Fix: .*server/],
    [
      'a bad duration',
      'tokens:\n  access_ttl: soon',
      /^config\.yaml:2: tokens\.access_ttl: .*Fix: /,
    ],
    [
      'an http issuer',
      'server: { issuer: "http://auth.example.com" }',
      /config\.yaml:1: server\.issuer: /,
    ],
    [
      'two clients of one id',
      'clients:\n  - { client_id: a, redirect_uris: ["http://127.0.0.1/"] }\n  - { client_id: a, redirect_uris: ["http://127.0.0.1/"] }',
      /^config\.yaml:3: clients\[1\]\.client_id: /,
    ],
    ['a tab', 'server:\n\tissuer: x', /^config\.yaml:2: /],
  ])('%s', async (_what, yaml, says) => {
    await using place = createPlace();
    place.write('config.yaml', yaml);
    const ended = await place.run(serve);
    expect(ended.stderr).toMatch(says);
    expect(ended.code).toBe(78);
    expect(ended.milliseconds).toBeLessThan(soon(2000));
    expect(existsSync(join(place.directory, 'data'))).toBe(false); // no partial start
  });

  it('a file that is not there', async () => {
    await using place = createPlace();
    expectRefusal(await place.run(serve), 78, /^config\.yaml: .*Fix: /);
  });
});

describe('what the surroundings refuse MUST end the start within 2 s with one sentence', () => {
  it.each(['public', 'admin'])('the %s port is taken', async (which) => {
    await using place = createPlace();
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const address = taken.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const other = await freePort();
    const [own, admin] = which === 'public' ? [port, other] : [other, port];
    place.write('config.yaml', localServer(own, admin));
    const ended = await place.run(serve);
    taken.close();
    expectRefusal(ended, 1, new RegExp(`port ${port} is taken\\. Stop what listens there, or set`));
    expect(existsSync(join(place.directory, 'data'))).toBe(false);
  });

  it('the data directory may not be written', async () => {
    await using place = createPlace();
    await configured(place);
    mkdirSync(join(place.directory, 'data'), { mode: 0o555 });
    const nobody = process.getuid?.() === 0 ? { uid: 65_534 } : {};
    expectRefusal(
      await place.run(serve, nobody),
      1,
      /data\S* cannot be written by user .* Make it/,
    );
  });

  it('a file is where the data directory should be', async () => {
    await using place = createPlace();
    await configured(place);
    place.write('data', '');
    expectRefusal(await place.run(serve), 1, /data.* a file is in the way/);
  });

  it('nothing listens where the database should be', async () => {
    await using place = createPlace();
    const dsn = `postgres://me:secret@127.0.0.1:${await freePort()}/authserver`;
    await configured(place, `storage: { driver: postgres, postgres: { dsn: "${dsn}" } }`);
    expectRefusal(
      await place.run(serve),
      1,
      /database cannot be reached .* storage\.postgres\.dsn/,
    );
  });

  it.each([
    ['is too old', { version: 140_005 }, /Postgres 14 is too old: use Postgres 15 or newer/],
    [
      'refuses the password',
      { code: '28P01', message: 'password authentication failed' },
      /refused user or password\. Check storage\.postgres\.dsn/,
    ],
    [
      'has no such database',
      { code: '3D000', message: 'database "authserver" does not exist' },
      /"authserver" does not exist\. Create the database first/,
    ],
  ])('the database %s', async (_what, refusal, says) => {
    await using place = createPlace();
    await using postgres = await refusingPostgres(refusal);
    await configured(place, `storage: { driver: postgres, postgres: { dsn: "${postgres.dsn}" } }`);
    const ended = await place.run(serve);
    expectRefusal(ended, 1, says);
    expect(ended.stderr).not.toContain('secret');
  });
});

describe('one process per embedded database', { timeout: 180_000 }, () => {
  it('a second one refuses within 1 s, naming the pid; after a kill the lock is taken over', async () => {
    await using place = createPlace();
    const port = await configured(place);
    const first = place.start(serve);
    await ready(`http://127.0.0.1:${port}`, first);

    rmSync(join(place.directory, 'data/admin.key')); // with it, commands go through the server
    for (const args of [['serve'], ['user', 'list']]) {
      const second = await place.run([...args, '--config', 'config.yaml']);
      expectRefusal(
        second,
        1,
        new RegExp(`is in use by process ${first.child.pid}\\. Stop that process`),
      );
      expect(second.milliseconds).toBeLessThan(soon(1000));
    }

    first.child.kill('SIGKILL');
    await first.ended;
    const third = place.start(serve);
    await ready(`http://127.0.0.1:${port}`, third);
    third.child.kill('SIGTERM');
    expect((await third.ended).code).toBe(0);
    expect(existsSync(join(place.directory, 'data/authserver.lock'))).toBe(false);
  });

  it('another data-encryption key than the database was made with is refused, saying which is meant', async () => {
    await using place = createPlace();
    const port = await configured(place);
    const key = (fill: number) => ({
      AUTHPLANE_DATA_ENCRYPTION_KEY: Buffer.alloc(32, fill).toString('base64'),
    });
    expect(
      (await place.run(['key', 'list', '--config', 'config.yaml'], { env: key(1) })).code,
    ).toBe(0);
    const ended = await place.run(serve, { env: key(2) });
    expect(ended.code).toBe(1);
    expect(ended.stderr).toMatch(
      /does not open with this data-encryption key\. Set data_encryption\.key/,
    );
    expect(ended.stderr).not.toMatch(/\n\s+at /);
    expect(existsSync(join(place.directory, 'data/authserver.lock'))).toBe(false);
    await expect(fetch(`http://127.0.0.1:${port}/health`)).rejects.toThrow(); // nothing left running
  });
});
