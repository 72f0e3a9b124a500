import { z } from 'zod';
import { plain, route, time } from './route.ts';

const count = z.int().min(0);

const series = z.strictObject({
  label: z.string().describe('Empty where the metric is not divided'),
  total: count,
  values: z.array(count).describe('One for each of `times`'),
});

/** One chart: what was counted in each step, divided by label. */
export const metric = z.strictObject({
  total: count,
  previous: count.describe('The same in the period of equal length before `from`'),
  series: z.array(series).describe('Most first'),
});

/** Who was active: distinct in each step, so that steps do not add up. */
export const activity = z.strictObject({
  total: count.nullable().describe('Distinct since `from`; null where `to` is in the past'),
  values: z.array(count).describe('Distinct in each of `times`'),
});

export const attentionKind = z.enum([
  'job_failing',
  'job_late',
  'rotation_overdue',
  'disk_nearly_full',
  'possible_theft',
  'registrations_spike',
  'lockouts',
  'restart_needed',
  'owner_missing',
  'audit_delivery_failing',
  'flows_failing',
]);

/** Something that needs the operator. */
export const attention = z.strictObject({
  id: z.string().describe('The same as long as it is the same matter'),
  kind: attentionKind,
  severity: z.enum(['info', 'warning', 'critical']),
  title: z.string().describe('One line'),
  detail: z.string().describe('What it means and what to do'),
  link: z.string().nullable().describe('Where in the console: a path below `/admin/ui`'),
  since: time.nullable(),
});

export const step = z.strictObject({
  id: z.enum(['owner', 'resource', 'client', 'person', 'token']),
  title: z.string(),
  detail: z.string().describe('How it is done'),
  done: z.boolean(),
  link: z.string().describe('Where in the console: a path below `/admin/ui`'),
});

const overview = z.strictObject({
  from: time.describe('Begin of the first step'),
  to: time.describe('End of the last step, which may still go on'),
  step: z.enum(['hour', 'day']),
  times: z.array(time).describe('Begin of every step, in UTC'),
  counted_until: time.nullable().describe('What happened later is not counted yet'),
  tokens_issued: metric.describe('By grant'),
  failures: metric.describe(
    'Refused requests, by `<endpoint> <error code>` such as `token invalid_grant`, and `consent denied`',
  ),
  sign_ins: metric.describe('By `succeeded` and `failed`'),
  refresh_overlaps: metric.describe('Repeated refreshes that got the same successor'),
  registrations: metric.describe('New clients, by kind'),
  active_clients: activity,
  active_people: activity,
  attention: z.array(attention).describe('Most urgent first'),
  getting_started: z.strictObject({
    done: z.boolean().describe('True from the first token on'),
    steps: z.array(step),
  }),
});

/** Charts and what needs the operator; read from hourly counts, never from the rows themselves. */
export const stats = {
  overview: route({
    ...plain,
    name: 'stats.overview',
    method: 'GET',
    path: '/admin/api/stats/overview',
    permission: 'viewer',
    summary: 'What the first page shows: charts, what needs attention, and the first steps',
    query: z.strictObject({
      from: time.optional().describe('24 steps before `to` by default; rounded down to its step'),
      to: time.optional().describe('Now by default'),
      step: z
        .enum(['hour', 'day'])
        .default('hour')
        .describe('`hour`: 14 days at most; `day` (UTC): 100 days at most'),
    }),
    answer: overview,
  }),
};

export const statsSchemas = {
  Overview: overview,
  Metric: metric,
  Activity: activity,
  Attention: attention,
};
