import { type Outcome, outcomeOf } from './delivery-policy.ts';

/** One message to the audit webhook. */
export interface AuditMessage {
  id: string;
  at: Date;
  body: string;
}

/** Posts a message and says what came of it; never rejects. */
export type SendWebhook = (message: AuditMessage) => Promise<Outcome>;

/**
 * Posts to the address that the operator configured, which may be a private one. No redirect is followed,
 * nothing of the answer but its status is read, and the timeout covers all of it.
 *
 * @param sign makes the headers of a signed webhook (Standard Webhooks)
 * @param timeout seconds
 */
export function createWebhookCall(
  { url, timeout }: { url: string; timeout: number },
  sign: (message: AuditMessage) => Record<string, string>,
): SendWebhook {
  return async (message) => {
    try {
      const response = await fetch(url, {
        method: 'POST',
        redirect: 'manual',
        headers: { ...sign(message), 'content-type': 'application/json' },
        body: message.body,
        signal: AbortSignal.timeout(timeout * 1000),
      });
      await response.body?.cancel();
      return outcomeOf(response.status);
    } catch (error) {
      return { kind: 'down', reason: reasonOf(error) };
    }
  };
}

/** Such as ECONNREFUSED. */
function reasonOf(error: unknown): string {
  if (error instanceof DOMException && error.name === 'TimeoutError') return 'no answer in time';
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause ? String(cause.code) : 'no connection';
}
