import { createHmac } from 'node:crypto';
import { webhookKey } from '../config/index.ts';

/** One message before it is signed. */
export interface WebhookMessage {
  id: string;
  at: Date;
  body: string;
}

/**
 * The headers of a signed webhook (Standard Webhooks): HMAC-SHA256 over `id.timestamp.body`. The receiver
 * compares in constant time and refuses old timestamps.
 */
export function signWebhook(
  secret: string,
  { id, at, body }: WebhookMessage,
): Record<string, string> {
  const timestamp = String(Math.floor(at.getTime() / 1000));
  const key = webhookKey(secret);
  if (!key) throw new TypeError('this is no webhook secret');
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${signature}`,
  };
}
