import { expect, it } from 'vitest';
import { reply, testApp } from './http.testing.ts';

it('every answer forbids sniffing, framing, referrers and loading', async () => {
  await using app = await testApp([reply(() => ({ ok: true }))], {
    issuer: 'https://auth.example',
  });
  const { headers } = await app.fetch('/');
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('x-frame-options')).toBe('DENY');
  expect(headers.get('referrer-policy')).toBe('no-referrer');
  expect(headers.get('content-security-policy')).toBe("default-src 'none'; frame-ancestors 'none'");
  expect(headers.get('strict-transport-security')).toBe('max-age=31536000');
});
