import {
  Client,
  type Prompt,
  type Resource,
  StreamableHTTPClientTransport,
  type Tool,
} from '@modelcontextprotocol/client';
import type { Circuit, GuardedSession, GuardedSessions, Reach } from '../http/index.ts';
import { isNetworkFailure, ProbeFailure, probeFailure } from './probe-failure.ts';

export interface ProbeDeps {
  sessions: GuardedSessions;
  /** By server: who does not answer is left alone for a while. */
  circuit: Circuit;
  reachOf: (url: string) => Reach;
}

/** A server, and what it is asked with. */
export interface Probed {
  id: number;
  url: string;
  workspaceId: string;
  /** Credentials among them: sent to the origin of `url` and nowhere else. */
  headers: Readonly<Record<string, string>>;
}

/** Most pages of a list that are read. */
const mostPages = 20;
/** Most members of a list that are passed on. */
const mostListed = 2000;

/** Speaks to other MCP servers for real, by Streamable HTTP: 2026-07-28, or an initialize handshake. */
export type Probe = ReturnType<typeof createProbe>;

/**
 * Nothing here outlives its time limit, and a server that keeps failing is not asked again for a while: a
 * hanging one takes a few of its own workspace's places, and nobody else's (R26).
 */
export function createProbe({ sessions, circuit, reachOf }: ProbeDeps) {
  async function within<T>(server: Probed, work: (client: Client) => Promise<T>): Promise<T> {
    const key = String(server.id);
    if (!circuit.allows(key)) throw new ProbeFailure('resting', circuit.retryAfter(key));
    try {
      const result = await connected(server, work);
      circuit.answered(key);
      return result;
    } catch (error) {
      const failure = probeFailure(error);
      if (isNetworkFailure(failure)) circuit.failed(key);
      else if (failure.reason !== 'busy') circuit.answered(key);
      throw failure;
    }
  }

  async function connected<T>(
    { url, headers, workspaceId }: Probed,
    work: (client: Client) => Promise<T>,
  ): Promise<T> {
    const session = await sessions(url, { reach: reachOf(url), headers, requester: workspaceId });
    const client = newClient();
    try {
      return await Promise.race([speak(client, session, url, work), over(session)]);
    } catch (error) {
      throw session.failure() ?? error;
    } finally {
      session.close();
      await client.close().catch(() => {});
    }
  }

  return {
    /** Connects, and that is all. @throws ProbeFailure */
    connect: (server: Probed): Promise<void> => within(server, async () => {}),

    /** @throws ProbeFailure */
    tools: (server: Probed): Promise<Tool[]> =>
      within(server, async (client) => (await client.listTools()).tools.slice(0, mostListed)),

    /** @throws ProbeFailure */
    prompts: (server: Probed): Promise<Prompt[]> =>
      within(server, async (client) => (await client.listPrompts()).prompts.slice(0, mostListed)),

    /** @throws ProbeFailure */
    resources: (server: Probed): Promise<Resource[]> =>
      within(server, async (client) =>
        (await client.listResources()).resources.slice(0, mostListed),
      ),
  };
}

async function speak<T>(
  client: Client,
  session: GuardedSession,
  url: string,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    fetch: session.fetch,
    // A stream that breaks off is not taken up again: what is asked is asked once.
    reconnectionOptions: {
      maxRetries: 0,
      initialReconnectionDelay: 1000,
      maxReconnectionDelay: 1000,
      reconnectionDelayGrowFactor: 1,
    },
    onInsufficientScope: 'throw',
  });
  await client.connect(transport);
  return work(client);
}

function newClient(): Client {
  return new Client(
    { name: 'authserver', version: '1' },
    {
      capabilities: {},
      versionNegotiation: { mode: 'auto' },
      listMaxPages: mostPages,
      // Nothing is called, so nothing of theirs is compiled: a schema can hold a pattern that never ends.
      jsonSchemaValidator: { getValidator: () => () => unvalidated() },
    },
  );
}

function unvalidated(): never {
  throw new TypeError('schemas of other servers are not validated');
}

/** The time limit of the session, for what waits without asking. */
function over({ signal }: GuardedSession): Promise<never> {
  return new Promise((_, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}
