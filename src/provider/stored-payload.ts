import type { Adapter } from 'oidc-provider';

type Payload = Record<string, unknown>;

/** The stored payload never holds the artifact's own value nor a session's cookie. */
export function withoutSecrets({ jti: _value, session, ...payload }: Payload): Payload {
  if (typeof session !== 'object' || session === null) return payload;
  const { cookie: _cookie, ...rest } = { cookie: undefined, ...session };
  return { ...payload, session: rest };
}

/** Methods that the library never calls on this model: a call would be a bug, so it is loud. */
export function unsupported(kind: string): Adapter {
  const refuse = (method: string) => async () => {
    throw new TypeError(`${kind}.${method} is not stored by the provider`);
  };
  return {
    find: refuse('find'),
    findByUid: refuse('findByUid'),
    findByUserCode: refuse('findByUserCode'),
    upsert: refuse('upsert'),
    consume: refuse('consume'),
    destroy: refuse('destroy'),
    revokeByGrantId: refuse('revokeByGrantId'),
  };
}

/** When something that the library stores for so many seconds expires. */
export function expiresAt(now: Date, expiresIn: number | undefined): Date {
  if (expiresIn === undefined) throw new TypeError('everything that is stored expires');
  return new Date(now.getTime() + expiresIn * 1000);
}
