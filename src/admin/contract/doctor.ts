import { z } from 'zod';
import { plain, route, time } from './route.ts';

const finding = z.strictObject({
  id: z.string().describe('Stable name of the check, such as `prm_resource`'),
  group: z
    .enum(['server', 'challenge', 'resource_metadata', 'clients', 'resources'])
    .describe('What it looks at'),
  title: z.string(),
  state: z.enum(['PASS', 'WARN', 'FAIL', 'SKIP']).describe('`SKIP`: could not be told'),
  sentence: z.string().describe('What was found'),
  expected: z.string().nullable().describe('What should be; null when it is'),
  clients: z.array(z.string()).describe('Clients that trip over it; empty means all'),
  fix: z.string().nullable().describe('What to change; null when nothing has to be'),
});

const diagnosis = z.strictObject({
  url: z
    .string()
    .nullable()
    .describe('The MCP server that was probed; null: this server and what is registered'),
  issuer: z.string(),
  verdict: z.enum(['PASS', 'WARN', 'FAIL']).describe('The worst of its findings'),
  checked_at: time,
  duration_ms: z.int(),
  findings: z.array(finding),
});

/** The doctor: asks as clients would ask. */
export const doctor = {
  examine: route({
    ...plain,
    name: 'doctor.examine',
    method: 'POST',
    path: '/admin/api/doctor',
    permission: 'operator',
    summary: 'Probe an MCP server and this server the way that clients would, and say what to fix',
    body: z.strictObject({
      url: z
        .string()
        .min(1)
        .max(2048)
        .optional()
        .describe(
          'URL that people paste into their client; absent examines this server and every registered resource',
        ),
    }),
    answer: diagnosis,
  }),
};

export const doctorSchemas = { Finding: finding, Diagnosis: diagnosis };
