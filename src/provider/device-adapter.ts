import type { Adapter } from 'oidc-provider';
import { hashId } from '../db/index.ts';
import { OAuthError } from '../oauth/index.ts';
import type { Tokens } from '../tokens/index.ts';
import { currentContext, currentState } from './request-state.ts';
import { expiresAt } from './stored-payload.ts';

type Payload = Record<string, unknown>;

/** By this prefix an interaction names the device that it is for: the device code itself is not known here. */
const storedPrefix = 'stored:';

/** How an interaction names a device. */
export function storedDevice(id: string): string {
  return `${storedPrefix}${id}`;
}

/**
 * Device codes (RFC 8628), kept by their hash. A device presents the code itself at the token endpoint;
 * a person's answer comes by the id under which it is stored, which is accepted nowhere else.
 */
export function deviceCodeAdapter(
  { tokens, now }: { tokens: Tokens; now: () => Date },
  exchangeable: Adapter,
): Adapter {
  return {
    ...exchangeable,
    async find(value) {
      if (currentState()?.token?.source) return exchangeable.find(value); // approved
      const answering = isAnswer();
      const found = await tokens.devices.find(answering ? idOf(value) : hashId(value));
      if (!found) return undefined;
      const payload = answering ? found.payload : unanswered(found.payload);
      return { ...payload, jti: value };
    },
    async upsert(value, payload, expiresIn) {
      if (isAnswer()) return answer(idOf(value), payload);
      const { jti: _value, userCode, ...kept } = payload;
      const saved = await tokens.devices.save(
        {
          deviceCode: value,
          userCode: String(userCode),
          clientId: String(payload.clientId),
          payload: kept,
          expiresAt: expiresAt(now(), expiresIn),
        },
        now(),
      );
      if (!saved) throw codeTaken();
    },
  };

  async function answer(id: string, payload: Payload): Promise<void> {
    const { accountId, grantId, scope, resource, authTime } = payload;
    const approved = { accountId, grantId, scope, resource, authTime };
    // Whatever went wrong, the device is told what RFC 8628 §3.5 has a word for.
    const denied = { error: 'access_denied', errorDescription: 'The person denied the request.' };
    const isDenied = payload.error !== undefined;
    const decision = isDenied
      ? { answer: denied, familyId: undefined }
      : { answer: approved, familyId: text(grantId) };
    if (!(await tokens.devices.decide(id, decision, now()))) throw deviceIsOver();
  }
}

/** A code that was answered already, or that nobody waits for any more. */
export function deviceIsOver(cause?: unknown): OAuthError {
  return new OAuthError(
    'invalid_request',
    'This code was answered already or has expired. Start again on the device to get a new one.',
    { cause },
  );
}

/** One chance in millions: the next code is another one. */
function codeTaken(): OAuthError {
  return new OAuthError(
    'temporarily_unavailable',
    'No code could be made just now. Send the same request again.',
    { headers: { 'Retry-After': '1' } },
  );
}

/** The library is storing, or about to store, what a person decided. */
function isAnswer(): boolean {
  return currentContext()?.oidc.route === 'device_resume' && !currentState()?.token;
}

function idOf(value: string): string {
  return value.startsWith(storedPrefix) ? value.slice(storedPrefix.length) : hashId(value);
}

/**
 * A code that is approved comes with its authorization from the one read of the token request. Approved
 * since then, it is still pending for this request: nothing may be issued that the read did not see.
 */
function unanswered({ accountId: _account, grantId: _grant, ...payload }: Payload): Payload {
  return payload;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
