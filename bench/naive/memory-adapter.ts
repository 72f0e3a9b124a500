import type { Adapter, AdapterPayload } from 'oidc-provider';

/**
 * The cheapest adapter there is: what remains is the library itself, the ceiling of any storage. The
 * library's own memory adapter walks all tokens of a grant at every write, so it is no ceiling.
 */
export function createMemoryAdapter(): (name: string) => Adapter {
  const stored = new Map<string, AdapterPayload>();
  return (type) => {
    const key = (id: string) => `${type}:${id}`;
    const uidKey = (uid: string) => `${type}:uid:${uid}`;
    return {
      find: async (id) => stored.get(key(id)),
      findByUid: async (uid) => stored.get(uidKey(uid)),
      findByUserCode: async () => undefined,
      async upsert(id, payload) {
        stored.set(key(id), payload);
        if (payload.uid) stored.set(uidKey(payload.uid), payload);
      },
      async consume(id) {
        const payload = stored.get(key(id));
        if (payload) payload.consumed = true;
      },
      async destroy(id) {
        stored.delete(key(id));
      },
      async revokeByGrantId(grantId) {
        for (const [id, payload] of stored) if (payload.grantId === grantId) stored.delete(id);
      },
    };
  };
}
