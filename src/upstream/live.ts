import type { Prompt, Resource, Tool } from '@modelcontextprotocol/client';
import type { Connections } from './connections.ts';
import type { Access } from './connections-types.ts';
import type { Icons } from './icon.ts';
import type { Probe, Probed } from './probe.ts';
import { ProbeFailure } from './probe-failure.ts';
import { UpstreamProblem } from './problem.ts';
import type { McpServer } from './server.ts';
import { enableStep, isOff, triesOAuth } from './server-state-policy.ts';
import type { ChangedBy, EnabledBy, Servers } from './servers.ts';

export interface LiveDeps {
  servers: Pick<Servers, 'ready' | 'mustAuthorize' | 'recordTest' | 'secretsOf'>;
  connections: Pick<Connections, 'accessFor' | 'connectLink' | 'register'>;
  probe: Probe;
  icons: Pick<Icons, 'renew'>;
}

/** Who asks a server something. */
export interface Asking {
  server: McpServer;
  userId: string;
}

/** What is in the body of a 403 when the member has to connect first. */
export interface MustConnect {
  code: 'authentication_required';
  authType: McpServer['authType'];
  /** `oauth`: where to send the browser; good once. */
  authorizeUrl?: string;
  /** Otherwise: for which server to make credentials. */
  appUuid?: string;
}

/** The member has to connect first. */
export class MustConnectError extends Error {
  override readonly name = 'MustConnectError';
  readonly detail: MustConnect;

  constructor(detail: MustConnect) {
    super('Connect to this MCP server first.');
    this.detail = detail;
  }
}

/** The server was switched off. */
export class ServerOffError extends Error {
  override readonly name = 'ServerOffError';
}

export interface TestResult {
  success: boolean;
  /** Whole milliseconds. */
  latencyMs: number;
  error?: string;
}

/** What members do with a registered server while it is there: everything connects for real. */
export type LiveServers = ReturnType<typeof createLiveServers>;

export function createLiveServers(deps: LiveDeps) {
  const { servers, connections, probe } = deps;

  /** @throws MustConnectError, ProbeFailure, UpstreamProblem */
  async function probed({ server, userId }: Asking): Promise<Probed> {
    const access = await accessTo(deps, { server, userId });
    if (!access.ok) throw await notConnected(connections, { server, userId }, access);
    const { id, url, workspaceId } = server;
    return { id, url, workspaceId, headers: access.headers };
  }

  async function show(asking: Asking): Promise<Probed> {
    if (isOff(asking.server)) throw new ServerOffError('The server is disabled.');
    return probed(asking);
  }

  /** It answers: it gets its picture, and is ready. */
  async function answered(server: McpServer, by: EnabledBy, who: ChangedBy): Promise<McpServer> {
    await deps.icons.renew(server);
    return servers.ready(server, by, who);
  }

  return {
    /**
     * @throws MustConnectError where the member has to do something first
     * @throws ProbeFailure, UpstreamProblem where the other side does not play its part
     */
    async enable({ server, userId }: Asking, who: ChangedBy): Promise<McpServer> {
      const access = await accessTo(deps, { server, userId });
      const step = enableStep(server, access.ok);
      if (step === 'nothing') return server;
      if (step === 'switch_on') return servers.ready(server, 'enable', who);
      if (step === 'set_up') return setUp(deps, server, who);
      if (!access.ok) {
        await servers.mustAuthorize(server, server.authType, who);
        throw await notConnected(connections, { server, userId }, access);
      }
      const { id, url, workspaceId } = server;
      const target = { id, url, workspaceId, headers: access.headers };
      try {
        await probe.connect(target);
      } catch (error) {
        if (!isUnauthorized(error) || !triesOAuth(server, 'unauthorized')) throw error;
        return setUp(deps, server, who);
      }
      return answered(server, 'enable', who);
    },

    /** Connects for real; a server that answers is ready and enabled. */
    async test({ server, userId }: Asking, who: ChangedBy): Promise<TestResult> {
      const started = performance.now();
      const error = await probed({ server, userId })
        .then((target) => probe.connect(target))
        .then(() => undefined, sentenceOf);
      const latencyMs = Math.max(0, Math.round(performance.now() - started));
      if (error === undefined) await answered(server, 'test', who);
      const result = { success: error === undefined, latencyMs, ...(error && { error }) };
      await servers.recordTest(server, result, who);
      return result;
    },

    /** @throws MustConnectError, ServerOffError, ProbeFailure */
    tools: async (asking: Asking): Promise<Tool[]> => probe.tools(await show(asking)),
    /** @throws MustConnectError, ServerOffError, ProbeFailure */
    prompts: async (asking: Asking): Promise<Prompt[]> => probe.prompts(await show(asking)),
    /** @throws MustConnectError, ServerOffError, ProbeFailure */
    resources: async (asking: Asking): Promise<Resource[]> => probe.resources(await show(asking)),
  };
}

/** We become a client there, and members authorize from then on. @throws UpstreamProblem */
async function setUp({ servers, connections }: LiveDeps, server: McpServer, who: ChangedBy) {
  await connections.register({ ...server, authType: 'oauth' });
  return servers.mustAuthorize(server, 'oauth', who);
}

/** Own headers, then what authenticates: nothing can take the place of the credential. */
async function accessTo(
  { servers, connections }: LiveDeps,
  { server, userId }: Asking,
): Promise<Access> {
  const { apiKey, headers } = await servers.secretsOf(server);
  if (server.authType === 'none') return { ok: true, headers: { ...headers } };
  if (server.authType === 'api_key') {
    const key = apiKey !== undefined && { authorization: `Bearer ${apiKey}` };
    return { ok: true, headers: { ...headers, ...key } };
  }
  const access = await connections.accessFor(server, userId);
  return access.ok ? { ...access, headers: { ...headers, ...access.headers } } : access;
}

async function notConnected(
  { connectLink }: LiveDeps['connections'],
  { server, userId }: Asking,
  access: Access & { ok: false },
): Promise<MustConnectError | UpstreamProblem> {
  const { authType, uuid } = server;
  if (access.code === 'upstream_unavailable') {
    const { retryAfter } = access;
    const sentence = 'The authorization server of this MCP server does not answer.';
    return new UpstreamProblem('paused', sentence, { ...(retryAfter && { retryAfter }) });
  }
  const code = 'authentication_required';
  if (authType !== 'oauth') return new MustConnectError({ code, authType, appUuid: uuid });
  const authorizeUrl = await connectLink(server, userId);
  return new MustConnectError({ code, authType, authorizeUrl });
}

function isUnauthorized(error: unknown): boolean {
  return error instanceof ProbeFailure && error.reason === 'unauthorized';
}

/** One of our sentences; what is unexpected is thrown on. */
function sentenceOf(problem: unknown): string {
  const isKnown =
    problem instanceof ProbeFailure ||
    problem instanceof UpstreamProblem ||
    problem instanceof MustConnectError;
  if (!isKnown) throw problem;
  return problem.message;
}
