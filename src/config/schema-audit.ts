import { z } from 'zod';
import { webhookKey } from './schema-claims.ts';
import { count, duration, secret, secureUrl } from './values.ts';

/** `observability.audit_webhook` */
export const auditWebhook = z
  .strictObject({
    url: secureUrl('Where audit events are posted, signed. Private addresses are allowed.'),
    secret: secret(
      'Signs the requests (Standard Webhooks): `whsec_` and 24 bytes or more in base64, or other text of 24 characters or more.',
      24,
    ).refine((value) => webhookKey(value) !== undefined, {
      error: 'is no key of 24 bytes or more in base64 after whsec_',
      params: { fix: 'make one: echo whsec_$(openssl rand -base64 32)' },
    }),
    events: z
      .array(z.string().regex(/^[a-z0-9_]+$/))
      .min(1)
      .describe('Types of docs/audit-events.md that are sent. Default: all.')
      .optional(),
    timeout: duration('How long one request may take.', { max: '1m' }).prefault('10s'),
    attempts: count(
      'Attempts at a receiver that cannot be reached (with growing pauses, of 5 minutes at most) before events become dead letters.',
      1,
      1000,
    ).prefault(12),
  })
  .describe('Audit events are sent there once they are sealed. See docs/audit.md.');
