import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compatibilityRules } from '../clients/index.ts';
import {
  chatGpt,
  chatGptShared,
  claudeCode,
  codeAndRefresh,
  openCode,
  realRegistrations,
} from '../clients/real-clients.testing.ts';
import { type DocumentHost, startDocumentHost } from './document-host.testing.ts';
import { authorize, code, good, redeem } from './flow.testing.ts';
import {
  type Registered,
  refusal,
  refused,
  register,
  sendRegistration,
} from './registration.testing.ts';
import { startServer, type TestServer } from './server.testing.ts';
import { open } from './signed-in.testing.ts';

const unlimited = 'dcr: { rate_limit: 10000, rate_limit_burst: 10000 }';
const strictly = `${unlimited}\ncompatibility: { strict: true }`;
const callback = 'https://app.example/cb';

let host: DocumentHost;
let server: TestServer;
let strict: TestServer;
beforeAll(async () => {
  host = await startDocumentHost(['claude.ai', 'chatgpt.com', 'opencode.ai', 'app.example']);
  server = await startServer({ fetch: host.fetch, extra: unlimited });
  strict = await startServer({ fetch: host.fetch, extra: strictly });
});
afterAll(async () => {
  await server?.close();
  await strict?.close();
  await host?.close();
});

/** What a client sends at run time: another port than it registered, on this computer. */
const atRunTime = (uri: string) =>
  uri.replace(/^(http:\/\/(?:localhost|127\.0\.0\.1))(?::\d+)?\//, '$1:49152/');

async function storedRules(clientId: string): Promise<string[]> {
  const { rules } = await server.db.kysely
    .selectFrom('clients')
    .select('rules')
    .where('client_id', '=', clientId)
    .executeTakeFirstOrThrow();
  return [...rules].sort();
}

async function auditedRules(clientId: string): Promise<unknown> {
  return server.db.kysely
    .selectFrom('audit_events')
    .select('detail')
    .where('client_id', '=', clientId)
    .where('type', '=', 'client_registered')
    .executeTakeFirstOrThrow();
}

/** The rules that the log says were applied, with the trace ids of its lines. */
function loggedRules(clientId: string) {
  const lines: Record<string, unknown>[] = server
    .logged()
    .split('\n')
    .filter((line) => line.includes('accommodations applied'))
    .map((line) => JSON.parse(line));
  return lines.filter((line) => line.client_id === clientId);
}

async function expectApplied(clientId: string, rules: readonly string[]): Promise<void> {
  expect(await storedRules(clientId)).toEqual([...rules].sort());
  expect(await auditedRules(clientId)).toMatchObject({
    detail: rules.length > 0 ? { rules: expect.arrayContaining([...rules]) } : {},
  });
  const lines = loggedRules(clientId);
  expect(lines).toHaveLength(rules.length > 0 ? 1 : 0);
  for (const line of lines) expect(line.rules).toEqual(expect.arrayContaining([...rules]));
}

/** From an authorization to a token, for each redirect URI as the client really sends it. */
async function goTheWholeWay(clientId: string, redirectUris: readonly string[], secret?: string) {
  for (const uri of redirectUris) {
    const flow = good({ client_id: clientId, redirect_uri: atRunTime(uri) });
    const value = await code(server, flow);
    const response = await redeem(
      server,
      flow,
      value,
      secret === undefined ? {} : { client_secret: secret },
    );
    expect(response.status).toBe(200);
  }
}

describe('the registration of a real client works to the token', () => {
  test.each(Object.entries(realRegistrations))('%s', async (_client, { body, rules }) => {
    const client = await register(server, body);
    expect(client.redirect_uris).toEqual(body.redirect_uris);
    await expectApplied(client.client_id, rules);
    await goTheWholeWay(client.client_id, body.redirect_uris, client.client_secret);
  });

  test('the log line has the trace id of the registration', async () => {
    const client = await register(server, realRegistrations.Cursor.body);
    const [line] = loggedRules(client.client_id);
    const { trace_id } = await server.db.kysely
      .selectFrom('audit_events')
      .select('trace_id')
      .where('client_id', '=', client.client_id)
      .executeTakeFirstOrThrow();
    expect(trace_id).toMatch(/^[0-9A-Z]{10}$/);
    expect(line?.trace_id).toBe(trace_id);
  });

  test('mcp-remote asks for openid email profile, which counts as no scope', async () => {
    const { body } = realRegistrations['mcp-remote'];
    const { client_id } = await register(server, body);
    const redirect_uri = 'http://localhost:3335/oauth/callback';
    const flow = good({ client_id, redirect_uri, scope: 'openid email profile' });
    const response = await redeem(server, flow, await code(server, flow));
    expect(await response.json()).toMatchObject({ scope: 'mcp:read' });
  });
});

describe('the metadata document of a real client works to the token', () => {
  test('Claude Code', async () => {
    host.serve(claudeCode.client_id, claudeCode);
    await goTheWholeWay(claudeCode.client_id, claudeCode.redirect_uris);
    const rules = ['localhost-redirect', 'native-when-loopback', 'portless-loopback'];
    await expectApplied(claudeCode.client_id, rules);
  });

  test('OpenCode', async () => {
    host.serve(openCode.client_id, openCode);
    await goTheWholeWay(openCode.client_id, openCode.redirect_uris);
    await expectApplied(openCode.client_id, []);
  });

  describe('ChatGPT', () => {
    let sign: (clientId: string) => Promise<Record<string, string>>;
    beforeAll(async () => {
      const { privateKey, publicKey } = await generateKeyPair('RS256');
      const jwk = { ...(await exportJWK(publicKey)), kid: 'chatgpt', alg: 'RS256', use: 'sig' };
      host.serve('https://chatgpt.com/oauth/jwks.json', { keys: [jwk] });
      sign = async (clientId) => ({
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: await new SignJWT({ jti: `${Math.random()}` })
          .setProtectedHeader({ alg: 'RS256', kid: 'chatgpt' })
          .setIssuer(clientId)
          .setSubject(clientId)
          .setAudience(server.url)
          .setIssuedAt()
          .setExpirationTime('1m')
          .sign(privateKey),
      });
    });

    test('signs or does not, where its document leaves that open', async () => {
      host.serve(chatGpt.client_id, chatGpt);
      const flow = () =>
        good({
          client_id: chatGpt.client_id,
          redirect_uri: 'https://chatgpt.com/connector/oauth/abc123',
        });
      const unsigned = flow();
      expect((await redeem(server, unsigned, await code(server, unsigned))).status).toBe(200);
      const signed = flow();
      const value = await code(server, signed);
      const assertion = await sign(chatGpt.client_id);
      expect((await redeem(server, signed, value, assertion)).status).toBe(200);
      await expectApplied(chatGpt.client_id, ['auth-method-list']);
      // a signature that is there must be right
      const forged = flow();
      const wrong = {
        ...assertion,
        client_assertion: `${assertion.client_assertion?.slice(0, -4)}AAAA`,
      };
      const response = await redeem(server, forged, await code(server, forged), wrong);
      expect(await refusal(response)).toMatchObject(refused(401, 'invalid_client'));
    });

    test('must sign where its document names private_key_jwt as its method', async () => {
      const { client_id } = chatGptShared;
      host.serve(client_id, chatGptShared);
      const [redirect_uri = ''] = chatGptShared.redirect_uris;
      const flow = good({ client_id, redirect_uri });
      const value = await code(server, flow);
      const unsigned = await redeem(server, flow, value);
      expect(await refusal(unsigned)).toMatchObject(refused(401, 'invalid_client'));
      expect((await redeem(server, flow, value, await sign(client_id))).status).toBe(200);
      await expectApplied(client_id, []);
    });
  });
});

/** By the letter of every standard. */
const proper = {
  redirect_uris: [callback],
  application_type: 'web',
  grant_types: codeAndRefresh,
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
};
const native = { ...proper, application_type: 'native' };
const without = (name: keyof typeof proper) => ({ ...proper, [name]: undefined });

/**
 * For each rule the smallest registration that needs it and no other, and what becomes of it without:
 * the members that it gets by the letter, or the error.
 */
const rules: Record<
  (typeof compatibilityRules)[number]['name'],
  {
    body: { redirect_uris: string[]; [member: string]: unknown };
    strictly: object | string;
  }
> = {
  'native-when-loopback': {
    body: { ...proper, redirect_uris: ['http://127.0.0.1:8787/callback'] },
    strictly: 'invalid_redirect_uri',
  },
  'mixed-redirect-list': {
    body: { ...native, redirect_uris: [callback, 'http://127.0.0.1:33418/'] },
    strictly: 'invalid_redirect_uri',
  },
  'app-scheme-without-dot': {
    body: { ...native, redirect_uris: ['cursor://anysphere.cursor-mcp/oauth/callback'] },
    strictly: 'invalid_redirect_uri',
  },
  'localhost-redirect': {
    body: { ...native, redirect_uris: ['http://localhost:7777/oauth/callback'] },
    strictly: 'invalid_redirect_uri',
  },
  'portless-loopback': {
    body: { ...native, redirect_uris: ['http://127.0.0.1/callback'] },
    strictly: 'invalid_redirect_uri',
  },
  'auth-method-none-when-absent': {
    body: without('token_endpoint_auth_method'),
    strictly: { token_endpoint_auth_method: 'client_secret_basic' },
  },
  'auth-method-list': {
    body: {
      ...without('token_endpoint_auth_method'),
      token_endpoint_auth_methods_supported: ['none'],
    },
    strictly: { token_endpoint_auth_method: 'client_secret_basic' },
  },
  'default-grant-types': {
    body: without('grant_types'),
    strictly: { grant_types: ['authorization_code'] },
  },
  'intersect-grant-types': {
    body: {
      ...proper,
      grant_types: [...codeAndRefresh, 'urn:ietf:params:oauth:grant-type:device_code'],
    },
    strictly: 'invalid_client_metadata',
  },
  'intersect-response-types': {
    body: { ...proper, response_types: ['code', 'code id_token', 'none'] },
    strictly: 'invalid_client_metadata',
  },
  'ignore-registration-scope': {
    body: { ...proper, scope: 'mcp:tools' },
    strictly: 'invalid_client_metadata',
  },
  'omit-null-members': {
    body: { ...proper, scope: null },
    strictly: 'invalid_client_metadata',
  },
  'drop-insecure-links': {
    body: { ...proper, client_uri: 'http://localhost:3000', logo_uri: '' },
    strictly: 'invalid_client_metadata',
  },
};

describe('each rule by itself', () => {
  test('every rule is here', () => {
    const names = compatibilityRules.map(({ name }) => name);
    expect(Object.keys(rules).sort()).toEqual([...names].sort());
  });

  test.each(Object.entries(rules))(
    '%s helps, and is stored, audited and logged',
    async (rule, { body }) => {
      const client = await register(server, body);
      await expectApplied(client.client_id, [rule]);
      await goTheWholeWay(client.client_id, body.redirect_uris);
    },
  );

  test.each(Object.entries(rules))(
    '%s is off in the strict profile',
    async (_rule, { body, strictly: letter }) => {
      const response = await sendRegistration(strict, body);
      if (typeof letter === 'string') {
        expect(await refusal(response)).toMatchObject(refused(400, letter));
        return;
      }
      const answer: Registered = JSON.parse(await response.text());
      expect(answer).toMatchObject(letter);
    },
  );
});

describe('the strict profile', () => {
  test('takes a client that keeps to the letter, the whole way', async () => {
    const { client_id } = await register(strict, proper);
    const flow = good({ client_id, redirect_uri: callback });
    expect((await redeem(strict, flow, await code(strict, flow))).status).toBe(200);
    expect(strict.logged()).not.toContain('accommodations applied');
  });

  const helped = Object.entries(realRegistrations).filter(([, { rules: used }]) => used.length > 0);
  test.each(helped)('refuses the registration of %s', async (_client, { body }) => {
    const answer = await refusal(await sendRegistration(strict, body));
    expect(answer).toMatchObject({ status: 400, traced: true });
    expect(answer.error).toMatch(/^invalid_(redirect_uri|client_metadata)$/);
  });

  test('refuses the document of Claude Code', async () => {
    host.serve(claudeCode.client_id, claudeCode);
    const flow = good({
      client_id: claudeCode.client_id,
      redirect_uri: 'http://localhost:1/callback',
    });
    expect(await open(strict, flow)).toMatchObject({ status: 400, location: null });
  });
});

describe('compatibility.disabled', () => {
  test('switches off by name; a name that no rule has is warned about at start', async () => {
    const extra = `${unlimited}\ncompatibility: { disabled: [localhost-redirect, localhost-redirects] }`;
    const other = await startServer({ extra });
    try {
      const { body } = rules['localhost-redirect'];
      const answer = await refusal(await sendRegistration(other, body));
      expect(answer).toMatchObject(refused(400, 'invalid_redirect_uri'));
      const { client_id } = await register(other, rules['portless-loopback'].body);
      const redirect_uri = 'http://127.0.0.1:1234/callback';
      const { answer: back } = await authorize(other, good({ client_id, redirect_uri }));
      expect(back.get('code')).toBeTruthy();
      const warnings = other
        .logged()
        .split('\n')
        .filter((line) => line.includes('"level":40'));
      expect(warnings.join('\n')).toContain('"localhost-redirects"');
      expect(warnings.join('\n')).not.toContain('"localhost-redirect"');
    } finally {
      await other.close();
    }
  });

  test('names that exist are not warned about', () => {
    expect(server.logged()).not.toContain('compatibility.disabled');
  });
});
