import { z } from 'zod';
import { byId, pageOf, paging, plain, route, time } from './route.ts';

/** A published signing key; never its private part. */
export const key = z.strictObject({
  id: z.string().describe('Its `kid`'),
  kid: z.string(),
  alg: z.string(),
  state: z.enum(['current', 'next', 'retired']).describe('`retired`: published, signs no more'),
  created_at: time,
  signs_from: time,
  signs_until: time.nullable().describe('When the one after it signs, as far as that is known'),
  retired_at: time.nullable().describe('When it was seen that another signs'),
  published_until: time.nullable().describe('Null while it signs or waits'),
});

const schedule = z.strictObject({
  algorithm: z.string().describe('Of the keys to come'),
  rotate_every: z.int().describe('Seconds that one key signs'),
  publish_before: z.int().describe('Seconds that a key is published before it signs'),
  keep_retired_for: z.int().describe('Seconds that a key is published after it signed'),
  next_rotation_at: time.nullable().describe('When the next key signs, or would by the schedule'),
});

/** Signing keys and their rotation. */
export const keys = {
  list: route({
    ...plain,
    name: 'keys.list',
    method: 'GET',
    path: '/admin/api/keys',
    permission: 'viewer',
    summary: 'List the published signing keys: current, next and retired ones',
    query: z.strictObject({ ...paging }),
    answer: pageOf(key).extend({ schedule }),
  }),
  rotate: route({
    ...plain,
    name: 'keys.rotate',
    method: 'POST',
    path: '/admin/api/keys/rotate',
    permission: 'owner',
    summary: 'Publish the next key; it signs after `signing.publish_before`',
    body: z.strictObject({
      force: z
        .boolean()
        .default(false)
        .describe(
          'Let it sign at once: resource servers that keep the key set must fetch it anew for every new token',
        ),
    }),
    answer: key,
  }),
  revoke: route({
    ...plain,
    name: 'keys.revoke',
    method: 'POST',
    path: '/admin/api/keys/{id}/revoke',
    permission: 'owner',
    summary:
      'Withdraw a key that others may know: every JWT that it signed is refused. Where it signs now, another signs first.',
    params: byId,
    answer: z.strictObject({
      revoked: z.string().describe('`kid` of the key that is published no more'),
      current: key.describe('The key that signs now'),
    }),
  }),
};

export const keySchemas = { Key: key, KeySchedule: schedule };
