// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are references of the configuration
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { check, load, testDirectory } from './load.testing.ts';
import { loadConfig } from './load.ts';

describe('references', () => {
  test('a file loses one trailing newline and is found beside the configuration', () => {
    const cwd = testDirectory({
      'c.yaml': 'admin: {api_key: "${file:key}"}\n',
      key: 'sixteen characters \n\n',
    });
    const { config, sources } = loadConfig({ file: join(cwd, 'c.yaml'), env: {}, cwd: '/' });
    expect(config.admin.api_key).toBe('sixteen characters \n');
    expect(sources.get('admin.api_key')).toMatch(/c\.yaml:1$/);
  });

  test('what they hold is not looked through again, and fits the type of its key', () => {
    const { config } = load(
      'admin: {api_key: "pre-${env:A}"}\nserver: {workers: "${env:N}", trusted_proxies: "${env:P}"}\noauth: {require_scope: "${env:B}"}',
      { A: 'has ${env:N} in it', N: '1', P: '::1,127.0.0.1', B: 'true' },
    );
    expect(config.admin.api_key).toBe('pre-has ${env:N} in it');
    expect(config.server).toMatchObject({ workers: 1, trusted_proxies: ['::1', '127.0.0.1'] });
    expect(config.oauth.require_scope).toBe(true);
  });

  test('work in variables too', () => {
    const cwd = testDirectory({ key: 'sixteen characters\n' });
    const { config } = loadConfig({ env: { AUTHPLANE_ADMIN_API_KEY: '${file:key}' }, cwd });
    expect(config.admin.api_key).toBe('sixteen characters');
  });

  test('a missing one is a problem that names it, and nothing else is said of its key', () => {
    expect(
      check(
        'server: {issuer: https://a.example}\nstorage: {pglite: {accept_risk: true}}\nsession:\n  secret: ${env:NOPE}\ndata_encryption:\n  key: ${file:nope.key}\nclients:\n  - client_id: ${env:ID}\n    redirect_uris: [https://a/cb]\n',
      ),
    ).toEqual([
      'c.yaml:4: session.secret: needs the environment variable NOPE, which is not set. Fix: set NOPE.',
      expect.stringMatching(
        /^c\.yaml:6: data_encryption\.key: needs the file nope\.key, which does not exist\. Fix: .+nope\.key\.$/,
      ),
      'c.yaml:8: clients[0].client_id: needs the environment variable ID, which is not set. Fix: set ID.',
    ]);
  });

  test.each(['${env:A', '${A}', '$${x', 'a ${env:A} ${'])(
    'a leftover ${ is a problem: %s',
    (text) => {
      expect(check(`admin:\n  api_key: '${text}'\n`, { A: '0123456789abcdef' })).toEqual([
        'c.yaml:2: admin.api_key: holds a "${" that is no reference. Fix: write ${file:PATH} or ${env:NAME}.',
      ]);
    },
  );
});
