import { describe, expect, it } from 'vitest';
import { acceptHost, concernsApi, permits } from './policy.ts';

describe('acceptHost', () => {
  it.each([
    ['localhost:9001', 'http://localhost:9001'],
    ['LOCALHOST:9001', 'http://localhost:9001'],
    ['127.0.0.1:9001', 'http://127.0.0.1:9001'],
    ['127.0.0.1:80', 'http://127.0.0.1'],
    ['[::1]:19001', 'http://[::1]:19001'],
    ['localhost', 'http://localhost'],
  ])('takes this computer as %s', (host, origin) => {
    expect(acceptHost(host, undefined)).toMatchObject({ origin, secure: false });
    expect(acceptHost(host, 'https://admin.example.com')).toMatchObject({ origin, secure: false });
  });

  it.each(['admin.example.com', 'Admin.Example.com', 'admin.example.com:443'])(
    'takes the host of the external URL as %s',
    (host) => {
      expect(acceptHost(host, 'https://admin.example.com/')).toEqual({
        origin: 'https://admin.example.com',
        host: 'admin.example.com',
        secure: true,
      });
    },
  );

  it.each([
    '',
    'evil.test',
    'evil.test:9001',
    'localhost.evil.test',
    '127.0.0.1.evil.test',
    'localhost.',
    'a@localhost',
    'localhost:9001@evil.test',
    'localhost, evil.test',
    'localhost:999999',
    '0.0.0.0:9001',
    '[::]:9001',
    'admin.example.com:8443',
    'admin.example.com.evil.test',
    'xadmin.example.com',
  ])('MUST refuse %j', (host) => {
    expect(acceptHost(host, 'https://admin.example.com')).toBeUndefined();
  });

  it('refuses every other name without an external URL', () => {
    expect(acceptHost('admin.example.com', undefined)).toBeUndefined();
  });
});

describe('permits', () => {
  it.each([
    ['viewer', [true, false, false]],
    ['operator', [true, true, false]],
    ['owner', [true, true, true]],
  ] as const)('lets a %s do what viewers, operators, owners may: %j', (role, expected) => {
    const needed = ['viewer', 'operator', 'owner'] as const;
    expect(needed.map((permission) => permits(role, permission))).toEqual(expected);
  });
});

describe('concernsApi', () => {
  it.each([
    '/admin/api',
    '/admin/api/tokens',
    '//admin///api/',
    '/ADMIN/Api/x',
    '/admin;a=1/api;b/x',
    '/%61dmin/%2561pi',
    '/admin%2Fapi',
    '/x/../admin/./api',
    '/../admin/api',
    '\\admin\\api',
  ])('knows the admin API in %s (AD10)', (path) => {
    expect(concernsApi(path)).toBe(true);
  });

  it.each([
    '/',
    '/admin',
    '/admin/apis',
    '/admin/ui/',
    '/admin/setup',
    '/metrics',
    '/api/admin',
    '/%zz',
  ])('leaves %s alone', (path) => {
    expect(concernsApi(path)).toBe(false);
  });
});
