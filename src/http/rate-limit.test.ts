import { expect, it } from 'vitest';
import { jsonOf, reply, testApp } from './http.testing.ts';
import { createRateLimiter, rateLimit } from './rate-limit.ts';

it('requests beyond rate and burst get 429 with Retry-After', async () => {
  await using app = await testApp([
    rateLimit({ name: 'test', perSecond: 2, burst: 3 }),
    reply(() => 'ok'),
  ]);
  const answers = await Promise.all(Array.from({ length: 9 }, () => app.fetch('/')));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(5);
  const refused = answers.filter(({ status }) => status === 429);
  expect(refused).toHaveLength(4);
  for (const { headers } of refused) expect(headers.get('retry-after')).toBe('1');
  const bodies = await Promise.all(refused.map(jsonOf));
  expect(bodies[0]?.error).toBe('temporarily_unavailable');
});

it('keys do not use up each other’s share, nor do two limits', async () => {
  const [one, two] = [0, 1].map((n) =>
    createRateLimiter({ name: `l${n}`, perSecond: 1, burst: 1 }),
  );
  for (const key of ['a', 'a', 'b']) await one?.take(key);
  await two?.take('a');
  await expect(one?.take('a')).rejects.toMatchObject({
    status: 429,
    error: 'temporarily_unavailable',
  });
});

it('the steady share comes back after a second', async () => {
  const limiter = createRateLimiter({ name: 'x', perSecond: 1, burst: 1 });
  await limiter.take('a');
  await limiter.take('a');
  await expect(limiter.take('a')).rejects.toThrow();
  await new Promise((done) => setTimeout(done, 1_050));
  await limiter.take('a');
});
