import { expect, test } from 'vitest';
import { verificationSnippet } from './claims-hook-snippet.ts';
import { signWebhook } from './webhook.ts';

test('a signature is that of Standard Webhooks (its published example)', () => {
  const headers = signWebhook('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', {
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    at: new Date(1_614_265_330_000),
    body: '{"test": 2432232314}',
  });
  expect(headers).toEqual({
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  });
});

const secrets = ['text of twenty-four letters', `whsec_${Buffer.alloc(24, 9).toString('base64')}`];

test.each(secrets)('the snippet of the documentation verifies it: %s', async (secret) => {
  const source = `data:text/javascript,${encodeURIComponent(verificationSnippet)}`;
  const { isGenuine } = await import(/* @vite-ignore */ source);
  const body = '{"a":"é"}';
  const headers = signWebhook(secret, { id: 'msg_1', at: new Date(), body });
  expect(isGenuine(secret, headers, body)).toBe(true);
  expect(isGenuine(secret, headers, `${body} `)).toBe(false);
  expect(isGenuine(`${secret.slice(0, -2)}AA`, headers, body)).toBe(false);
  expect(isGenuine(secret, { ...headers, 'webhook-id': 'msg_2' }, body)).toBe(false);
  const old = signWebhook(secret, { id: 'msg_1', at: new Date(Date.now() - 400_000), body });
  expect(isGenuine(secret, old, body)).toBe(false);
});
