import { z } from 'zod';
import { claimNameProblem } from '../config/index.ts';
import { cleanJson, parseStrictJson, StrictJsonError } from '../http/index.ts';

export const hookFailures = {
  timeout: 'no whole answer within `timeout`',
  unreachable: 'no connection, or it broke',
  bad_status: 'a status other than 200; redirects are not followed',
  unusable_answer: 'not JSON of the right form, too large, or a reserved claim',
  resting: 'not asked, because it failed repeatedly a moment ago',
  unreadable_secret: 'not asked, because its secret cannot be decrypted',
} as const;

export type HookFailureReason = keyof typeof hookFailures;

/** Why a hook gave no claims; the message never quotes what it answered. */
export class HookFailure extends Error {
  override readonly name = 'HookFailure';
  readonly reason: HookFailureReason;
  /** It did not answer at all, to anybody: it may be down. */
  readonly isDown: boolean;

  constructor(
    reason: HookFailureReason,
    message: string,
    options?: ErrorOptions & { isDown?: boolean },
  ) {
    super(message, options);
    this.reason = reason;
    this.isDown = options?.isDown ?? false;
  }
}

/** Bytes of an answer that are read, and levels of nesting in it. */
export const answerLimits = { bytes: 16 * 1024, depth: 6 } as const;

const answer = z.object({ claims: z.record(z.string(), z.json()) });

/**
 * Posts to a hook. The timeout covers connection, headers and body; no redirect is followed, since the
 * signed request is for one receiver.
 *
 * @returns the body of a 200 answer
 * @throws HookFailure
 */
export async function sendToHook(
  { url, timeout }: { url: string; timeout: number },
  body: string,
  signature: Record<string, string>,
): Promise<Uint8Array> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      redirect: 'manual',
      headers: { ...signature, 'content-type': 'application/json', accept: 'application/json' },
      body,
      signal: AbortSignal.timeout(timeout * 1000),
    });
    if (response.status !== 200) throw await badStatus(response);
    return await readAtMost(response, answerLimits.bytes);
  } catch (error) {
    throw error instanceof HookFailure ? error : unanswered(error);
  }
}

/**
 * The claims in an answer.
 *
 * @throws HookFailure unless it is JSON `{"claims": {…}}` with names that a custom claim may have
 */
export function readHookAnswer(bytes: Uint8Array): Record<string, unknown> {
  const { claims } = parse(bytes);
  const refused = Object.keys(claims).find((name) => claimNameProblem(name));
  if (refused === undefined) return claims;
  throw new HookFailure('unusable_answer', `the name of a claim: ${refused.slice(0, 64)}`);
}

function parse(bytes: Uint8Array) {
  try {
    return answer.parse(cleanJson(parseStrictJson(bytes, { maxDepth: answerLimits.depth })));
  } catch (cause) {
    if (!(cause instanceof StrictJsonError) && !(cause instanceof z.ZodError)) throw cause;
    throw new HookFailure('unusable_answer', 'not {"claims": {…}} in JSON', { cause });
  }
}

async function badStatus(response: Response): Promise<HookFailure> {
  await response.body?.cancel();
  const isDown = response.status >= 500 || response.status === 429;
  return new HookFailure('bad_status', `status ${response.status}`, { isDown });
}

async function readAtMost(response: Response, limit: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response.body ?? []) {
    length += part.length;
    if (length > limit) throw new HookFailure('unusable_answer', `more than ${limit} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function unanswered(cause: unknown): HookFailure {
  if (cause instanceof DOMException && cause.name === 'TimeoutError') {
    return new HookFailure('timeout', 'no answer in time', { isDown: true });
  }
  return new HookFailure('unreachable', codeOf(cause), { cause, isDown: true });
}

/** The reason of a failed fetch, such as ECONNREFUSED. */
function codeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause ? String(cause.code) : 'no answer';
}
