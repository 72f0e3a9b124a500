import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createPlace, freePort, localServer, type Place, ready } from './process.testing.ts';

/** `authserver backup` and `restore` as an operator uses them, on the embedded database. */

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const secret = 'machine-secret-0123456789';
const basic = `Basic ${Buffer.from(`M:${secret}`).toString('base64')}`;
const rows = `
resources: [{ slug: r, uri: "https://r.test/mcp", display_name: R, token_format: opaque, scopes: [{ name: a }], clients: [M] }]
clients: [{ client_id: M, client_secret: ${secret}, grant_types: [client_credentials] }]
users: [{ email: owner@example.test, password: "correct horse owner", role: owner }]
`;

let place: Place;
let file: string;
let secrets: string;
/** Tokens that were issued before the backup; the second one was revoked before it. */
let live: string;
let revoked: string;
let kid: string;

const config = () => join(place.directory, 'config.yaml');

async function running<T>(work: (url: string) => Promise<T>): Promise<T> {
  const port = await freePort();
  place.write('config.yaml', localServer(port, await freePort(), rows));
  const process = place.start(['serve', '--config', 'config.yaml']);
  const url = `http://127.0.0.1:${port}`;
  await ready(url, process);
  try {
    return await work(url);
  } finally {
    process.child.kill('SIGTERM');
    await process.ended;
  }
}

async function post(url: string, path: string, form: Record<string, string>) {
  const body = new URLSearchParams(form);
  const answer = await fetch(`${url}${path}`, {
    method: 'POST',
    body,
    headers: { authorization: basic },
  });
  const text = await answer.text();
  return text === '' ? {} : JSON.parse(text);
}

const newToken = async (url: string): Promise<string> =>
  (await post(url, '/oauth/token', { grant_type: 'client_credentials' })).access_token;
const active = async (url: string, token: string): Promise<boolean> =>
  (await post(url, '/oauth/introspect', { token })).active;

async function currentKey(url: string): Promise<string> {
  const answer = await fetch(`${url}/.well-known/jwks.json`);
  const { keys }: { keys: { kid: string }[] } = JSON.parse(await answer.text());
  return keys[0]?.kid ?? '';
}

/** Another computer: nothing is there. */
function emptyMachine(): void {
  rmSync(join(place.directory, 'data'), { recursive: true, force: true });
}

/** They are kept apart from backups. */
function bringSecrets(): void {
  writeFileSync(join(place.directory, 'data/secrets.json'), secrets, { mode: 0o600 });
}

async function restore(...args: string[]) {
  return place.run(['restore', '--config', config(), file, ...args], {
    env: { AUTHPLANE_DATA_ENCRYPTION_KEY: dataKey(), AUTHPLANE_SESSION_SECRET: 's'.repeat(40) },
  });
}

function dataKey(): string {
  return JSON.parse(secrets).data_encryption_key;
}

beforeAll(async () => {
  place = createPlace();
  await running(async (url) => {
    live = await newToken(url);
    revoked = await newToken(url);
    await post(url, '/oauth/revoke', { token: revoked });
    kid = await currentKey(url);
  });
  secrets = readFileSync(join(place.directory, 'data/secrets.json'), 'utf8');
  file = join(place.directory, 'one.backup.gz');
  const made = await place.run(['backup', '--config', config(), '--out', file]);
  expect(made).toMatchObject({ code: 0 });
});
afterAll(() => place[Symbol.asyncDispose]());

describe('a backup', () => {
  it('is for its owner only, and holds neither keys nor secrets in the clear', () => {
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const text = gunzipSync(readFileSync(file)).toString();
    expect(text).toContain('"signing_keys"');
    for (const hidden of [dataKey(), secret, live, 'correct horse owner', '"d":']) {
      expect(text).not.toContain(hidden);
    }
  });

  it('MUST NOT overwrite a file', async () => {
    const again = await place.run(['backup', '--config', config(), '--out', file]);
    expect(again.code).toBe(1);
    expect(gunzipSync(readFileSync(file)).length).toBeGreaterThan(100);
  });
});

describe('a restore', () => {
  it('on another computer: tokens work, revoked ones stay revoked, keys are the same', async () => {
    emptyMachine();
    const done = await restore();
    expect(done).toMatchObject({ code: 0 });
    expect(done.stderr).toContain('--tokens end');
    bringSecrets();
    await running(async (url) => {
      expect(await active(url, live)).toBe(true);
      expect(await active(url, revoked)).toBe(false);
      expect(await currentKey(url)).toBe(kid);
      expect(await active(url, await newToken(url))).toBe(true);
    });
  });

  it('of an old one MUST end what was issued before, so that what was revoked stays revoked (R29)', async () => {
    emptyMachine();
    const old = gunzipSync(readFileSync(file))
      .toString()
      .replace(/"created_at":"[^"]+"/, '"created_at":"2026-01-01T00:00:00.000Z"');
    const kept = file;
    file = join(place.directory, 'old.backup.gz');
    writeFileSync(file, gzipSync(old));
    expect(await restore()).toMatchObject({ code: 0 });
    file = kept;
    bringSecrets();
    await running(async (url) => {
      expect(await active(url, live)).toBe(false);
      expect(await active(url, await newToken(url))).toBe(true);
    });
  });

  it('MUST NOT write into a database that is in use by somebody', async () => {
    const refused = await restore();
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/not empty/);
  });

  it('says what is wrong with a file, and writes nothing', async () => {
    const whole = readFileSync(file);
    const text = gunzipSync(whole).toString().trim().split('\n');
    const cases: [string, Buffer, RegExp][] = [
      ['cut', whole.subarray(0, whole.length - 200), /cut off or damaged/],
      ['end', gzipSync(text.slice(0, -1).join('\n')), /end is missing/],
      [
        'rows',
        gzipSync(text.filter((line) => !line.startsWith('{"table":"users"')).join('\n')),
        /rows of users are missing/,
      ],
      ['other', gzipSync('{"format":"something"}\n'), /not a backup/],
      ['plain', Buffer.from('hello'), /cut off or damaged|not a backup/],
      ['newer', gzipSync(text.join('\n').replace('"0001_', '"0001_x", "9999_')), /newer version/],
    ];
    const kept = file;
    emptyMachine();
    for (const [name, content, expected] of cases) {
      file = join(place.directory, `${name}.gz`);
      writeFileSync(file, content);
      const refused = await restore();
      expect([name, refused.code]).toEqual([name, 1]);
      expect(refused.stderr).toMatch(expected);
    }
    file = kept;
    expect(await restore()).toMatchObject({ code: 0 }); // none of them has left anything
  });

  it('under another data-encryption key is refused with what to do', async () => {
    emptyMachine();
    const refused = await place.run(['restore', '--config', config(), file]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/another data-encryption key/);
  });
});
