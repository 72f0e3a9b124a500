/** First come, first served: `acquire` resolves with the release function once everybody before has released. */
export function createMutex(): { acquire(): Promise<() => void> } {
  let tail: Promise<void> = Promise.resolve();
  return {
    async acquire() {
      const { promise, resolve } = Promise.withResolvers<void>();
      const before = tail;
      tail = tail.then(() => promise);
      await before;
      return resolve;
    },
  };
}
