import { type Adapter, errors } from 'oidc-provider';
import type { Tokens } from '../tokens/index.ts';
import { expiresAt, unsupported } from './stored-payload.ts';

/**
 * Pushed requests, keyed by the hash of their reference. One may be looked at again until it has led to
 * a code (people reload pages); from then on it is as unknown as one that never was (RFC 9126 §4).
 */
export function pushedRequestAdapter({
  tokens,
  now,
}: {
  tokens: Tokens;
  now: () => Date;
}): Adapter {
  const kind = 'PushedAuthorizationRequest';
  return {
    ...unsupported(kind),
    async find(id) {
      const artifact = await tokens.artifacts.find(kind, id);
      if (artifact?.consumedAt) throw usedUp();
      return artifact && { ...artifact.payload, jti: id };
    },
    async upsert(id, { jti: _id, ...payload }, expiresIn) {
      const artifact = { kind, value: id, payload, expiresAt: expiresAt(now(), expiresIn) };
      await tokens.artifacts.save(artifact, now());
    },
    async consume(id) {
      if (!(await tokens.artifacts.consume(kind, id, now()))) throw usedUp();
    },
  };
}

/** A page, never a redirect: the one who got the code has had the answer. */
function usedUp(): Error {
  const error = new errors.InvalidRequestUri(
    'request_uri is invalid, expired, or was already used',
  );
  error.allow_redirect = false;
  return error;
}
