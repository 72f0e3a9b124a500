import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { testDatabase } from '../db/database.testing.ts';
import type { Database } from '../db/index.ts';
import { createDelivery, type Delivery, retryDeadLetter } from './delivery.ts';
import { selectDeadLetters } from './delivery-queries.ts';
import { recordAudit } from './log.ts';
import { createSealer } from './seal.ts';
import { createWebhookCall } from './webhook-call.ts';

/** The audit webhook against a real HTTP receiver. */

const secret = 'a secret of more than 24 characters';
const payload = z.object({
  type: z.literal('audit.events'),
  data: z.object({
    events: z.array(z.looseObject({ id: z.string(), trace_id: z.string(), type: z.string() })),
    chain: z.object({ first_seq: z.int(), last_seq: z.int(), hash: z.string() }).optional(),
  }),
});

interface Received {
  headers: IncomingHttpHeaders;
  body: string;
  traces: string[];
}

let db: Database;
let url = '';
let received: Received[];
let answer: (response: ServerResponse, request: Received) => void;
let now: Date;
let number = 0;
let seal: () => Promise<number>;
let makeSealer: () => typeof seal;
const closing: (() => Promise<unknown>)[] = [];
const silent = { info: () => {}, warn: () => {}, error: () => {} };
const running = new AbortController().signal;

beforeAll(async () => {
  db = await testDatabase();
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = { ...(await exportJWK(privateKey)), alg: 'ES256' };
  const kid = await calculateJwkThumbprint(jwk);
  const { d, ...open } = { ...jwk, kid };
  const keys = { signer: () => ({ ...jwk, kid }), trusted: () => [open] };
  makeSealer = () => createSealer({ db, keys, now: () => now, log: silent }).seal;
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => {
      body += part;
    });
    request.on('end', () => {
      const { data } = payload.parse(JSON.parse(body));
      const traces = data.events.map(({ trace_id }) => trace_id);
      const one = { headers: request.headers, body, traces };
      received.push(one);
      answer(response, one);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/audit`;
  closing.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
}, 60_000);
afterAll(async () => {
  for (const close of closing) await close();
  await db.close();
});

beforeEach(async () => {
  now = new Date('2026-03-01T10:00:00Z');
  received = [];
  answer = (response) => void response.writeHead(204).end();
  number = 0;
  seal = makeSealer();
  await db.kysely.transaction().execute(async (trx) => {
    await sql`SET LOCAL session_replication_role = replica`.execute(trx);
    for (const table of ['audit_blocks', 'audit_checkpoints', 'audit_events', 'audit_webhook']) {
      await sql`DELETE FROM ${sql.table(table)}`.execute(trx);
    }
    await sql`DELETE FROM audit_dead_letters`.execute(trx);
  });
});

function sign({ id, at, body }: { id: string; at: Date; body: string }): Record<string, string> {
  const timestamp = String(Math.floor(at.getTime() / 1000));
  const signature = createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`);
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${signature.digest('base64')}`,
  };
}

const send = (timeout = 5) => createWebhookCall({ url, timeout }, sign);
function delivery(
  settings: { events?: string[]; attempts?: number; timeout?: number } = {},
): Delivery {
  const all = { attempts: 5, timeout: 5, ...settings };
  return createDelivery({ db, send: send(all.timeout), now: () => now, log: silent }, all);
}

async function happen(count: number, type: 'user_login' | 'user_logout' = 'user_login') {
  for (let index = 0; index < count; index += 1) {
    number += 1;
    const event =
      type === 'user_login'
        ? ({ type, detail: { method: 'password' } } as const)
        : ({ type, detail: { reason: 'user' } } as const);
    const who = { actor: { kind: 'user', id: 'usr_1' }, userId: 'usr_1' } as const;
    await recordAudit(db.kysely, { ...event, ...who }, { at: now, traceId: `e${number}` });
  }
  await seal();
}

const traces = () => received.flatMap((request) => request.traces);
const names = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => `e${from + index}`);
const wait = (seconds: number) => {
  now = new Date(now.getTime() + seconds * 1000);
};

test('events that are sealed from now on arrive in order, in batches, signed (Standard Webhooks)', async () => {
  await happen(2);
  const { deliver } = delivery();
  await deliver(running);
  expect(received).toEqual([]); // history is for the export
  await happen(130);
  await happen(1);
  await deliver(running);
  expect(traces()).toEqual(names(3, 133));
  expect(received.map((request) => request.traces.length)).toEqual([100, 30, 1]);
  for (const { headers, body } of received) {
    const { 'webhook-id': id, 'webhook-timestamp': time, 'webhook-signature': given } = headers;
    const expected = createHmac('sha256', secret).update(`${id}.${time}.${body}`).digest('base64');
    expect(given).toBe(`v1,${expected}`);
  }
  expect(payload.parse(JSON.parse(received[0]?.body ?? '')).data.chain).toMatchObject({
    first_seq: 3,
    last_seq: 102,
  });
  await deliver(running);
  expect(received).toHaveLength(3);
});

test('a receiver that is down gets the same message again, under the same id, after growing pauses', async () => {
  const { deliver } = delivery();
  await deliver(running);
  answer = (response) => void response.writeHead(503).end();
  await happen(3);
  await deliver(running);
  await deliver(running); // not due yet
  expect(received).toHaveLength(1);
  wait(5);
  await deliver(running);
  wait(9);
  await deliver(running);
  expect(received).toHaveLength(2);
  answer = (response) => void response.writeHead(200).end('ok');
  wait(1);
  await deliver(running);
  expect(received).toHaveLength(3);
  expect(new Set(received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  expect(received.at(-1)?.traces).toEqual(names(1, 3));
  expect(await selectDeadLetters(db.kysely, 10)).toEqual([]);
});

test('one event that is refused becomes a dead letter, and MUST NOT hold up the others', async () => {
  const { deliver } = delivery();
  await deliver(running);
  answer = (response, { traces: all }) =>
    void response.writeHead(all.includes('e3') ? 400 : 204).end();
  await happen(5);
  for (let round = 0; round < 6; round += 1) {
    await deliver(running);
    wait(20);
  }
  const taken = received.filter((request) => !request.traces.includes('e3'));
  expect(taken.flatMap((request) => request.traces)).toEqual(['e1', 'e2', 'e4', 'e5']);
  expect(await selectDeadLetters(db.kysely, 10)).toMatchObject([
    { type: 'user_login', reason: 'status 400', attempts: 4 },
  ]);
  await happen(2);
  await deliver(running);
  expect(received.at(-1)?.traces).toEqual(['e6', 'e7']); // in batches again
});

test('what a receiver that stays down was not told becomes dead letters after so many attempts', async () => {
  const { deliver } = delivery({ attempts: 3 });
  await deliver(running);
  answer = (response) => void response.destroy();
  await happen(2);
  for (let round = 0; round < 4; round += 1) {
    await deliver(running);
    wait(300);
  }
  expect(received).toHaveLength(3);
  expect(await selectDeadLetters(db.kysely, 10)).toHaveLength(2);
  answer = (response) => void response.writeHead(204).end();
  await happen(1);
  await deliver(running);
  expect(received.at(-1)?.traces).toEqual(['e3']);
});

test('a receiver that hangs MUST NOT hold up anything but its own delivery', async () => {
  const { deliver } = delivery({ timeout: 1 });
  await deliver(running);
  answer = () => {}; // never
  await happen(1);
  const sending = deliver(running);
  await expect.poll(() => received.length).toBe(1);
  const started = performance.now();
  await happen(3); // recording and sealing go on meanwhile
  expect(performance.now() - started).toBeLessThan(900);
  await sending;
  answer = (response) => void response.writeHead(204).end();
  wait(10);
  await deliver(running);
  expect(traces()).toEqual(['e1', 'e1', 'e2', 'e3', 'e4']);
});

test('one sender at a time; another takes over when the first is gone', async () => {
  const [first, second] = [delivery(), delivery()];
  await first.deliver(running);
  await happen(3);
  await Promise.all([first.deliver(running), second.deliver(running)]);
  expect(traces()).toEqual(names(1, 3));
  await happen(1);
  await second.deliver(running);
  expect(traces()).toEqual(names(1, 3));
  wait(60);
  await second.deliver(running);
  expect(traces()).toEqual(names(1, 4));
  await second.release();
  await happen(1);
  await first.deliver(running);
  expect(traces()).toEqual(names(1, 5));
});

test('a redirect is not followed, since what is signed is for one receiver', async () => {
  const { deliver } = delivery();
  await deliver(running);
  answer = (response) => void response.writeHead(307, { location: `${url}/elsewhere` }).end();
  await happen(1);
  await deliver(running);
  expect(received).toHaveLength(1);
});

test('only the configured types are sent', async () => {
  const { deliver } = delivery({ events: ['user_logout'] });
  await deliver(running);
  await happen(3);
  await happen(1, 'user_logout');
  await deliver(running);
  expect(received.map((request) => request.traces)).toEqual([['e4']]);
});

describe('a dead letter', () => {
  const by = () => ({ actor: { kind: 'user', id: 'usr_op' } as const, meta: { at: now } });
  async function letter() {
    const { deliver } = delivery({ attempts: 1 });
    await deliver(running);
    answer = (response) => void response.writeHead(400).end();
    await happen(1);
    await deliver(running);
    const [one] = await selectDeadLetters(db.kysely, 10);
    return one?.id ?? '';
  }
  const retry = (id: string) => retryDeadLetter({ db, send: send(), now: () => now }, id, by());

  test('is sent once more and leaves the list when it is taken; both are on record (AD11)', async () => {
    const id = await letter();
    expect(await retry(id)).toEqual({ delivered: false, reason: 'status 400' });
    expect(await selectDeadLetters(db.kysely, 10)).toMatchObject([{ attempts: 2 }]);
    answer = (response) => void response.writeHead(204).end();
    expect(await retry(id)).toEqual({ delivered: true });
    expect(received.at(-1)?.traces).toEqual(['e1']);
    expect(await selectDeadLetters(db.kysely, 10)).toEqual([]);
    expect(await retry(id)).toBeUndefined();
    const audited = await db.kysely
      .selectFrom('audit_events')
      .select(['actor_id', 'detail'])
      .where('type', '=', 'audit_delivery_retried')
      .orderBy('id')
      .execute();
    expect(audited).toMatchObject([
      { actor_id: 'usr_op', detail: { delivered: false, reason: 'status 400' } },
      { actor_id: 'usr_op', detail: { delivered: true } },
    ]);
  });
});
