import pg from 'pg';

type Handler = (payload: string) => void;

/** One connection that listens for all channels and comes back by itself when it is lost. */
export function createListener(settings: pg.ClientConfig, onError?: (error: Error) => void) {
  const handlers = new Map<string, Set<Handler>>();
  let client: Promise<pg.Client> | undefined;
  let retry: NodeJS.Timeout | undefined;
  let closed = false;

  async function connect(): Promise<pg.Client> {
    const fresh = new pg.Client({ ...settings, application_name: 'authserver listener' });
    fresh.on('notification', ({ channel, payload }) => {
      for (const handler of handlers.get(channel) ?? []) handler(payload ?? '');
    });
    fresh.on('error', (error) => onError?.(error));
    fresh.on('end', reconnect);
    await fresh.connect();
    for (const channel of handlers.keys()) {
      await fresh.query(`LISTEN ${pg.escapeIdentifier(channel)}`);
    }
    return fresh;
  }

  function reconnect(): void {
    client = undefined;
    if (closed || retry) return;
    retry = setTimeout(() => {
      retry = undefined;
      client = connect();
      client.then(resynchronise, reconnect);
    }, 500);
    retry.unref();
  }

  function resynchronise(): void {
    for (const set of handlers.values()) for (const handler of set) handler('');
  }

  return {
    async listen(channel: string, handler: Handler) {
      const set = handlers.get(channel) ?? new Set<Handler>();
      handlers.set(channel, set.add(handler));
      client ??= connect();
      const connected = await client;
      await connected.query(`LISTEN ${pg.escapeIdentifier(channel)}`);
      return async () => {
        set.delete(handler);
      };
    },
    async close() {
      closed = true;
      clearTimeout(retry);
      await client?.then(
        (open) => open.end(),
        () => {},
      );
    },
  };
}
