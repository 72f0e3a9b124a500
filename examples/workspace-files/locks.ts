/** Runs work one after the other for each key, and at once for different keys. */
export type Locks = <Value>(key: string, work: () => Promise<Value>) => Promise<Value>;

export function createLocks(): Locks {
  const last = new Map<string, Promise<unknown>>();
  return (key, work) => {
    const before = last.get(key) ?? Promise.resolve();
    const mine = before.then(work, work);
    const settled = mine
      .catch(() => {})
      .finally(() => {
        if (last.get(key) === settled) last.delete(key);
      });
    last.set(key, settled);
    return mine;
  };
}
