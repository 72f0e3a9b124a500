import { setTimeout as pause } from 'node:timers/promises';
import type { Actor } from '../audit/index.ts';
import { type Database, hashId } from '../db/index.ts';
import type { SecretBox } from '../keys/index.ts';
import { OAuthError } from '../oauth/index.ts';
import { claimRequest, findRequest, releaseRequest, storeAnswer } from './idempotency-queries.ts';

export interface IdempotencyDeps {
  db: Database;
  /** Seals answers, which may hold a new secret. */
  box: SecretBox;
  now: () => Date;
}

/** A request that may come again. */
export interface Repeatable {
  /** `Idempotency-Key`, as it was sent. */
  key: string;
  actor: Actor;
  /** Name of the route. */
  route: string;
  /** Everything that was sent. */
  input: unknown;
}

/**
 * Does the work of a request once for its key, and gives the same answer again for a day.
 *
 * @throws OAuthError 409 while an earlier request runs for too long or after it broke off, 422 where the
 *   key came with another request
 */
export type Once = (
  request: Repeatable,
  work: () => Promise<unknown>,
) => Promise<{ answer: unknown; replayed: boolean }>;

const keptFor = 86_400_000; // milliseconds
const patience = { attempts: 50, milliseconds: 100 };

/** The memory of requests with an `Idempotency-Key`, shared by all replicas. */
export function createIdempotency({ db, box, now }: IdempotencyDeps): Once {
  return async (request, work) => {
    const { id, digest } = identify(request);
    const contextOf = `idempotent_answer:${id}`;
    for (let attempt = 0; attempt < patience.attempts; attempt += 1) {
      const at = now();
      const claim = { id, digest, now: at, expiresAt: new Date(at.getTime() + keptFor) };
      if (await claimRequest(db.kysely, claim)) {
        const answer = await perform(db, id, work);
        await storeAnswer(db.kysely, id, box.seal(JSON.stringify(answer), contextOf));
        return { answer, replayed: false };
      }
      const earlier = await findRequest(db.kysely, id);
      if (earlier && earlier.body_digest !== digest) throw otherRequest();
      if (earlier?.answer_sealed) {
        return { answer: JSON.parse(box.open(earlier.answer_sealed, contextOf)), replayed: true };
      }
      await pause(patience.milliseconds);
    }
    throw unfinished();
  };
}

/** The key counts for one caller and route only, so that nobody gets the answer of somebody else. */
function identify({ key, actor, route, input }: Repeatable): { id: string; digest: string } {
  if (!/^[\x20-\x7e]{1,255}$/.test(key)) {
    throw new OAuthError(
      'invalid_request',
      'Idempotency-Key has to be 1 to 255 printable ASCII characters.',
    );
  }
  const id = hashId(JSON.stringify([actor.kind, actor.id, route, key]));
  return { id, digest: hashId(JSON.stringify(input)) };
}

/** What was refused did nothing, so its key is free again; after any other failure nobody knows. */
async function perform(db: Database, id: string, work: () => Promise<unknown>): Promise<unknown> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof OAuthError && error.status < 500) await releaseRequest(db.kysely, id);
    throw error;
  }
}

function otherRequest(): OAuthError {
  return new OAuthError(
    'invalid_request',
    'This Idempotency-Key came with another request before. Use a new key for each thing that you do.',
    { status: 422 },
  );
}

function unfinished(): OAuthError {
  return new OAuthError(
    'invalid_request',
    'An earlier request with this Idempotency-Key is still running, or broke off. Look whether it took effect before you send it again with another key.',
    { status: 409 },
  );
}
