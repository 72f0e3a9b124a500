import type { TestServer } from './server.testing.ts';

/** The answer to a registration, as far as tests look at it. */
export interface Registered {
  client_id: string;
  client_secret?: string;
  registration_access_token: string;
  registration_client_uri: string;
  redirect_uris: string[];
  [member: string]: unknown;
}

/** Sends a body to the registration endpoint as it is; objects as JSON. */
export function sendRegistration(
  server: TestServer,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  const isRaw = typeof body === 'string' || body instanceof Uint8Array;
  return fetch(`${server.url}/oauth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: isRaw ? body : JSON.stringify(body),
  });
}

/** Registers a client that must be accepted (RFC 7591 §3.2.1). */
export async function register(server: TestServer, body: object): Promise<Registered> {
  const response = await sendRegistration(server, body);
  const text = await response.text();
  if (response.status !== 201) throw new Error(`not registered: ${response.status} ${text}`);
  return JSON.parse(text);
}

/** A request to a client's configuration endpoint (RFC 7592 §2). */
export function manage(
  { registration_client_uri: uri, registration_access_token: token }: Registered,
  method: 'GET' | 'PUT' | 'DELETE',
  body?: unknown,
): Promise<Response> {
  return fetch(uri, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

/** What every JSON refusal must be: status and error code, not stored, with a trace id. */
export async function refusal(response: Response) {
  const text = await response.text();
  const body: Record<string, unknown> = JSON.parse(text);
  return {
    status: response.status,
    error: body.error,
    description: body.error_description,
    stored: response.headers.get('cache-control') !== 'no-store',
    traced: typeof body.trace_id === 'string',
    leaks: / at .*\.ts|SELECT |INSERT |node_modules|\/work\//.test(text),
  };
}

/** The shape of {@link refusal} that the attack rows call J(status, error). */
export const refused = (status: number, error: string) => ({
  status,
  error,
  stored: false,
  traced: true,
  leaks: false,
});

/** How many clients there are. */
export async function countClients(server: TestServer): Promise<number> {
  const rows = await server.db.kysely.selectFrom('clients').select('client_id').execute();
  return rows.length;
}

/** Everything that the server has stored about clients and logged, to look for what must not be there. */
export async function everythingStored(server: TestServer): Promise<string> {
  const clients = await server.db.kysely.selectFrom('clients').selectAll().execute();
  const events = await server.db.kysely.selectFrom('audit_events').selectAll().execute();
  return `${JSON.stringify({ clients, events })}\n${server.logged()}`;
}
