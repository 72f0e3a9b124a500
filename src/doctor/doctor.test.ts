import { describe, expect, test } from 'vitest';
import { loadConfig } from '../config/index.ts';
import { sink } from '../http/guarded.testing.ts';
import { createGuardedRequest, type GuardedRequest } from '../http/index.ts';
import { readChallenge } from './challenge.ts';
import { createDoctor } from './doctor.ts';

const issuer = 'https://auth.test';
const now = () => new Date('2026-11-21T12:00:00Z');

const metadata = {
  issuer,
  authorization_endpoint: `${issuer}/oauth/authorize`,
  token_endpoint: `${issuer}/oauth/token`,
  registration_endpoint: `${issuer}/oauth/register`,
  jwks_uri: `${issuer}/.well-known/jwks.json`,
  code_challenge_methods_supported: ['S256'],
  client_id_metadata_document_supported: true,
  token_endpoint_auth_methods_supported: ['none'],
};

const open = {
  'access-control-allow-origin': '*',
  'access-control-allow-headers': 'authorization, content-type, mcp-protocol-version',
};

interface Answers {
  document?: Record<string, unknown>;
  openid?: Response;
  keys?: object;
  cors?: Record<string, string>;
  date?: string;
  endpoints?: number;
}

/** The way out of an examination, answered by this server as it might look from outside. */
function answering({ document = metadata, openid, keys, cors = open, date, endpoints }: Answers) {
  const request: GuardedRequest = async (url, { method }) => {
    const headers = { ...cors, date: date ?? now().toUTCString() };
    if (method === 'OPTIONS') return new Response(null, { status: endpoints ?? 204, headers });
    if (url.endsWith('jwks.json')) return Response.json(keys ?? { keys: [{}] }, { headers });
    if (url.endsWith('openid-configuration') && openid) return openid;
    return Response.json(document, { headers });
  };
  return request;
}

const { config: defaults } = loadConfig({ cwd: '/nonexistent', env: {} });
const own = { ...defaults, server: { ...defaults.server, issuer } };

function examine(
  answers: Answers,
  { config = own, url }: { config?: typeof own; url?: string } = {},
) {
  const resources = { all: () => [] };
  const deps = { request: answering(answers), resources, now };
  return createDoctor(deps, config, { privateAddresses: false }).examine(url);
}

test('this server passes every check when it is as it should be', async () => {
  const { findings, verdict } = await examine({});
  expect(findings.filter(({ state }) => state !== 'PASS')).toEqual([]);
  expect(verdict).toBe('PASS');
});

describe('this server fails its check with a fix', () => {
  const less = (name: string, value: unknown) => ({ document: { ...metadata, [name]: value } });
  test.each<[string, Answers, string, string]>([
    ['with another issuer', less('issuer', 'https://other.test'), 'issuer_echo', 'FAIL'],
    ['with a slash too many', less('issuer', `${issuer}/`), 'issuer_echo', 'FAIL'],
    ['where a variant is missing', { openid: Response.json({}) }, 'metadata_variants', 'FAIL'],
    ['without S256', less('code_challenge_methods_supported', ['plain']), 'pkce_s256', 'FAIL'],
    [
      'without documents',
      less('client_id_metadata_document_supported', false),
      'cimd_advertised',
      'WARN',
    ],
    [
      'without the method none',
      less('token_endpoint_auth_methods_supported', []),
      'cimd_advertised',
      'WARN',
    ],
    [
      'with an endpoint elsewhere',
      less('token_endpoint', 'https://other.test/token'),
      'endpoints',
      'FAIL',
    ],
    ['with endpoints that lead nowhere', { endpoints: 404 }, 'endpoints', 'FAIL'],
    ['without keys', { keys: { keys: [] } }, 'jwks', 'FAIL'],
    ['without CORS', { cors: {} }, 'server_cors', 'FAIL'],
    ['with a wrong clock', { date: 'Sat, 21 Nov 2026 12:05:00 GMT' }, 'clock', 'FAIL'],
    ['with a clock that is off', { date: 'Sat, 21 Nov 2026 12:00:30 GMT' }, 'clock', 'WARN'],
  ])('%s', async (_what, answers, id, state) => {
    const { findings, verdict } = await examine(answers);
    const finding = findings.find((one) => one.id === id);
    expect(finding).toMatchObject({ state });
    expect(finding?.fix).toBeTruthy();
    expect(verdict).not.toBe('PASS');
  });

  test.each([
    ['admin_only', 'WARN'],
    ['approved_redirects', 'WARN'],
    ['open', 'PASS'],
  ] as const)('with dcr.mode %s', async (mode, state) => {
    const config = { ...own, dcr: { ...own.dcr, mode } };
    const { findings } = await examine({}, { config });
    expect(findings.find(({ id }) => id === 'registration_mode')).toMatchObject({ state });
  });
});

test('a client whose document may not be fetched, or that may not register, is told of', async () => {
  const config = {
    ...own,
    cimd: { ...own.cimd, denied_hosts: ['claude.ai'] },
    dcr: { ...own.dcr, mode: 'admin_only' as const },
  };
  const { findings } = await examine({}, { config, url: 'https://mcp.test/mcp' });
  const of = (name: string) => findings.find(({ id }) => id === `client_${name}`);
  expect(of('claude_code')).toMatchObject({ state: 'FAIL' });
  expect(of('claude_code')?.fix).toContain('cimd.denied_hosts');
  expect(of('cursor')).toMatchObject({ state: 'WARN' });
});

describe('who asks over the network MUST NOT look around in ours', () => {
  test.each(['http://127.0.0.1', 'http://localhost', 'https://rebound.test'])(
    '%s',
    async (host) => {
      const internal = await sink();
      const url = `${host}:${internal.port}/mcp`;
      const request = createGuardedRequest({
        timeoutMs: 1000,
        now,
        resolve: async () => ['127.0.0.1'],
      });
      const deps = { request, resources: { all: () => [] }, now };
      const diagnosis = await createDoctor(deps, own, { privateAddresses: false }).examine(url);
      expect(diagnosis.findings.find(({ id }) => id === 'mcp_refuses')?.state).toBe('FAIL');
      expect(internal.contacts()).toBe(0);
      await internal.close();
    },
  );
});

test.each([
  [
    'Bearer resource_metadata="https://a/b", scope="x y"',
    { resourceMetadata: 'https://a/b', scope: 'x y' },
  ],
  ['bearer realm=x, Resource_Metadata=https://a/b', { resourceMetadata: 'https://a/b' }],
  ['DPoP algs="ES256", Bearer scope="x", DPoP scope="y"', { scope: 'x' }],
  ['Bearer', {}],
  ['Basic realm="Bearer"', undefined],
  ['', undefined],
])('the challenge %s is read as clients read it', (header, expected) => {
  expect(readChallenge(header)).toEqual(expected);
});
