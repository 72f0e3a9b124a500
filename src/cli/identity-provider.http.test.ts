import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { loadConfig } from '../config/index.ts';
import { createLogger } from '../http/index.ts';
import { openRooms, reconcile } from '../rooms.ts';
import { run } from './index.ts';
import { createPlace } from './process.testing.ts';

vi.setConfig({ testTimeout: 240_000 });

it('lists, disables and enables identity providers, and never shows their secret', async () => {
  const place = createPlace({ database: 'migrated' });
  onTestFinished(() => place[Symbol.asyncDispose]());
  const file = join(place.directory, 'config.yaml');
  const row =
    '{ slug: acme, issuer: "https://idp.test", client_id: us, client_secret: hidden-one }';
  place.write(
    'config.yaml',
    `storage: { pglite: { path: ${join(place.directory, 'data/authserver')} } }\nidentity_providers: [${row}]`,
  );
  const { config } = loadConfig({ file, env: {}, cwd: place.directory });
  const rooms = await openRooms(config, { log: createLogger({ level: 'silent' }) });
  await reconcile(config, rooms);
  await rooms.close();

  async function command(...args: string[]) {
    const out: string[] = [];
    const take = (part: string | Uint8Array) => out.push(String(part)) > 0;
    const stdout = vi.spyOn(process.stdout, 'write').mockImplementation(take);
    const stderr = vi.spyOn(process.stderr, 'write').mockImplementation(take);
    const code = await run(['identity-provider', ...args, '--config', file]);
    stdout.mockRestore();
    stderr.mockRestore();
    return { code, text: out.join('') };
  }

  const { text } = await command('list', '--json');
  expect(JSON.parse(text)).toMatchObject([
    { slug: 'acme', enabled: true, source: 'config', has_client_secret: true },
  ]);
  expect(text).not.toContain('hidden-one');
  expect((await command('disable', 'acme')).code).toBe(0);
  expect((await command('list')).text).toMatch(/acme .* disabled/);
  expect((await command('enable', 'acme')).code).toBe(0);
  expect(await command('disable', 'nope')).toMatchObject({
    code: 1,
    text: expect.stringContaining('no identity provider'),
  });
});
