import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { apiKey, startApi } from '../admin/api.testing.ts';
import { run } from './index.ts';
import { createPlace, type Place } from './process.testing.ts';

vi.setConfig({ testTimeout: 120_000 });

let place: Place;
let file = '';

beforeEach(() => {
  place = createPlace();
  onTestFinished(() => place[Symbol.asyncDispose]());
  file = join(place.directory, 'config.yaml');
  const path = join(place.directory, 'data/authserver');
  place.write(
    'config.yaml',
    `server: { issuer: "http://localhost:1" }\nstorage: { pglite: { path: ${path} } }`,
  );
});

async function doctor(...args: string[]) {
  const out: string[] = [];
  const stdout = vi
    .spyOn(process.stdout, 'write')
    .mockImplementation((part) => out.push(`${part}`) > 0);
  const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  try {
    return { code: await run(['doctor', ...args, '--config', file]), shown: out.join('') };
  } finally {
    stdout.mockRestore();
    stderr.mockRestore();
  }
}

it('exits with 1 and says what to fix where something fails', async () => {
  const { code, shown } = await doctor();
  expect(code).toBe(1);
  expect(shown).toMatch(/^FAIL {2}The metadata of the issuer can be had: .*$/m);
  expect(shown).toMatch(/^ {6}fix: Check server\.issuer/m);
  expect(shown).toMatch(/^FAIL: \d+ PASS, \d+ WARN, \d+ FAIL, \d+ SKIP$/m);
});

it('asks the server that runs, and prints what programs read', async () => {
  const api = await startApi();
  onTestFinished(() => api.close());
  const data = join(place.directory, 'data');
  mkdirSync(data, { mode: 0o700 });
  const key = JSON.stringify({ url: api.origin, key: apiKey });
  writeFileSync(join(data, 'admin.key'), key, { mode: 0o600 });
  const { code, shown } = await doctor('--json', 'https://mcp.invalid/mcp');
  const diagnosis = JSON.parse(shown);
  expect(code).toBe(1);
  expect(diagnosis).toMatchObject({
    url: 'https://mcp.invalid/mcp',
    issuer: api.server.url,
    verdict: 'FAIL',
  });
  expect(diagnosis.findings.find(({ id }: { id: string }) => id === 'issuer_echo').state).toBe(
    'PASS',
  );
});
