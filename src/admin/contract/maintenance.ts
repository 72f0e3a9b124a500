import { z } from 'zod';
import { byId, plain, route } from './route.ts';

/** A clean-up that the server does by itself now and then. */
const sweep = z.strictObject({ id: z.string(), title: z.string() });

/** Looking after the database. */
export const maintenance = {
  backup: route({
    ...plain,
    name: 'maintenance.backup',
    method: 'GET',
    path: '/admin/api/backup',
    permission: 'owner',
    summary:
      'Everything in the database as of one moment, one JSON value a line; the data-encryption key is not in it. On the embedded database everybody else waits meanwhile',
    answer: z.string(),
    media: ['application/x-ndjson'],
  }),
  setupLink: route({
    ...plain,
    name: 'maintenance.setup-link',
    method: 'POST',
    path: '/admin/api/setup-links',
    permission: 'owner',
    summary: 'Make another link that makes the first owner; none once there is an owner',
    answer: z.strictObject({
      token: z
        .string()
        .nullable()
        .describe('Good once, for an hour: the fragment of /admin/setup. Null: there is an owner'),
    }),
  }),
  sweeps: route({
    ...plain,
    name: 'maintenance.sweeps',
    method: 'GET',
    path: '/admin/api/sweeps',
    permission: 'viewer',
    summary: 'List what removes rows that are no longer needed; all of them run by themselves',
    answer: z.strictObject({ items: z.array(sweep) }),
  }),
  sweep: route({
    ...plain,
    name: 'maintenance.sweep',
    method: 'POST',
    path: '/admin/api/sweeps/{id}/run',
    permission: 'owner',
    summary: 'Run one of them now, for some seconds',
    params: byId,
    answer: sweep.extend({
      rows: z.int().nullable().describe('Rows removed; null where it runs already'),
      done: z.boolean().describe('`false`: there may be more to remove, so call it again'),
    }),
  }),
};

export const maintenanceSchemas = { Sweep: sweep };
