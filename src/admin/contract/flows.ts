import { z } from 'zod';
import { byId, exact, pageOf, paging, plain, route, search, time } from './route.ts';

const status = z
  .enum(['open', 'succeeded', 'failed', 'abandoned'])
  .describe('`abandoned`: nothing came for half an hour, such as a sign-in page that was left');

const stepName = z
  .enum([
    'resource_metadata',
    'server_metadata',
    'client',
    'authorize',
    'sign_in',
    'consent',
    'token',
    'first_call',
  ])
  .describe('Where in the order of an authorization');

const difference = z.strictObject({
  what: z.string().describe('The parameter or member that it is about, such as `resource`'),
  sent: z.string().nullable().describe('What came, cut and cleaned; null when nothing came'),
  expected: z.array(z.string()).describe('What would have been accepted; nearest first'),
});

const rule = z.strictObject({
  name: z.string().describe('As in docs/compatibility.md'),
  reason: z.string().describe('What the client did that needs it'),
});

const step = z.strictObject({
  name: stepName,
  title: z.string().describe('What people call it: `Resource metadata`, `Sign-in` …'),
  state: z
    .enum(['ok', 'failed', 'skipped', 'waiting'])
    .describe('`skipped`: not needed or not seen; `waiting`: has not come'),
  at: time.nullable(),
  duration_ms: z.int().nullable().describe('How long the server worked on it'),
  request: z.string().nullable().describe('Such as `GET /oauth/authorize`; never its query'),
  answer: z.string().nullable().describe('Such as `200`, `303`, or the error code'),
  note: z.string().nullable().describe('One short line: `CIMD, stored`, `remembered` …'),
  error: z.string().nullable(),
  sentence: z.string().nullable().describe('What was wrong, as the client or the person was told'),
  differences: z.array(difference),
  rules: z.array(rule).describe('Compatibility rules that helped this step'),
  facts: z
    .array(z.strictObject({ name: z.string(), value: z.string() }))
    .describe('What was sent and found, such as `scope`; never a secret'),
  trace_id: z.string().nullable(),
});

const fix = z.strictObject({
  id: z.string().describe('What to send to the verb `fix`'),
  kind: z.enum([
    'add_alias',
    'add_scope',
    'allow_scope',
    'allow_redirect',
    'allow_resource',
    'resume_client',
    'enable_resource',
  ]),
  label: z.string().describe('For the button: `Add alias`'),
  explanation: z.string().describe('What it changes and what that means'),
  target: z.string().describe('The resource or client that it changes'),
  value: z.string().nullable().describe('What is added to it'),
  blocked: z
    .string()
    .nullable()
    .describe('Why it cannot be done by the button, and what to do instead; null when it can'),
});

/** One authorization attempt, as a row of the list. */
export const flow = z.strictObject({
  id: z.string(),
  trace_id: z.string().describe('Of its last request; error pages show it'),
  status,
  failed_step: stepName.nullable(),
  error: z.string().nullable().describe('Error code'),
  sentence: z.string().nullable().describe('What was wrong'),
  client_id: z.string().nullable(),
  client_name: z.string().nullable().describe('As it was at the time'),
  client_kind: z.enum(['preregistered', 'dcr', 'cimd']).nullable(),
  sub: z.string().nullable(),
  username: z.string().nullable().describe('E-mail address of the person'),
  resource: z.string().nullable().describe('The registered one, or what was sent instead'),
  resource_name: z.string().nullable(),
  redirect_host: z.string().nullable(),
  scope: z.string().nullable(),
  attempts: z.int().describe('How often the same failure came; it is one row'),
  created_at: time,
  updated_at: time,
  duration_ms: z.int().describe('From the first request to the last'),
  funnel: z
    .array(z.strictObject({ name: stepName, state: step.shape.state }))
    .describe('Every step in order, for the small funnel of a row'),
});

const flowWithSteps = flow.extend({
  trace_ids: z.array(z.string()).describe('Of every request, oldest first; 20 at most'),
  steps: z.array(step).describe('In the order of an authorization'),
  fixes: z.array(fix).describe('What would make the next attempt succeed, as things are now'),
});

/** Authorization attempts, each from metadata to token. */
export const flows = {
  list: route({
    ...plain,
    name: 'flows.list',
    method: 'GET',
    path: '/admin/api/flows',
    permission: 'viewer',
    summary: 'List authorization attempts, newest first',
    query: z.strictObject({
      ...paging,
      ...search('client_id, client name, trace id of its first or last request, or redirect host'),
      sort: z.enum(['-created_at', 'created_at']).default('-created_at'),
      status: status.optional(),
      client_id: exact,
      sub: exact,
      resource: exact,
      failed_step: stepName.optional(),
      error: exact,
      trace_id: exact.describe('Any trace id of the attempt'),
      from: time.optional().describe('Begun at or after'),
      to: time.optional().describe('Begun before'),
    }),
    answer: pageOf(flow),
  }),
  get: route({
    ...plain,
    name: 'flows.get',
    method: 'GET',
    path: '/admin/api/flows/{id}',
    permission: 'viewer',
    summary: 'One attempt with its steps, what was sent and expected, and what would fix it',
    params: byId,
    answer: flowWithSteps,
  }),
  fix: route({
    ...plain,
    name: 'flows.fix',
    method: 'POST',
    path: '/admin/api/flows/{id}/fix',
    permission: 'operator',
    summary: 'Change the client or resource so that the next attempt succeeds',
    params: byId,
    body: z.strictObject({
      fix: z.string().min(1).max(200).describe('`id` of one of its `fixes`'),
    }),
    answer: flowWithSteps,
  }),
};

export const flowSchemas = { Flow: flow, FlowWithSteps: flowWithSteps };
