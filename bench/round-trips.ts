import { connect, createServer, type Socket } from 'node:net';

/** A way to Postgres that counts how often the client asks and waits for the answer. */
export interface CountingProxy {
  /** The same database by way of this proxy. */
  through(dsn: string): string;
  /** Round trips since the last call. */
  take(): number;
  close(): Promise<void>;
}

const query = 'Q'.charCodeAt(0);
const sync = 'S'.charCodeAt(0);

/**
 * Passes bytes on and counts the messages that end a round trip: Query (simple protocol) and Sync
 * (extended protocol, however many messages came before it).
 */
export async function startCountingProxy(postgresPort: number): Promise<CountingProxy> {
  let trips = 0;
  const sockets = new Set<Socket>();
  const server = createServer((incoming) => {
    const outgoing = connect(postgresPort, '127.0.0.1');
    const count = createMessageReader((type) => {
      if (type === query || type === sync) trips += 1;
    });
    incoming.on('data', count);
    for (const [from, to] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      sockets.add(from);
      from.setNoDelay(true);
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => sockets.delete(from));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    through(dsn) {
      const url = new URL(dsn);
      const address = server.address();
      if (typeof address === 'object' && address) url.port = String(address.port);
      return url.href;
    },
    take() {
      const taken = trips;
      trips = 0;
      return taken;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Reads a client's stream message by message; the first one, Startup, has no type byte. */
function createMessageReader(onMessage: (type: number) => void): (chunk: Buffer) => void {
  let rest = Buffer.alloc(0);
  let started = false;
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      const header = started ? 1 : 0;
      if (rest.length < header + 4) return;
      const length = header + rest.readInt32BE(header);
      if (rest.length < length) return;
      if (started) onMessage(rest.readUInt8(0));
      started = true;
      rest = rest.subarray(length);
    }
  };
}
