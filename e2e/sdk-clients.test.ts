import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSdkClient } from '../examples/demo/sdk-client.ts';
import { createV1Client } from './support/mcp-v1.ts';
import { introspect, revoke } from './support/oauth.ts';
import { type PostgresServer, startPostgres } from './support/postgres.ts';
import { openStage, type Stage } from './support/stage.ts';

const redirect = 'http://127.0.0.1:7777/callback';
const metadata = {
  client_name: 'SDK e2e client',
  redirect_uris: [redirect],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
};

const generations = {
  '@modelcontextprotocol/sdk 1.x': createV1Client,
  '@modelcontextprotocol/client 2.x': createSdkClient,
};

const databases = ['PGlite', 'Postgres'] as const;

let postgres: PostgresServer;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(async () => {
  await postgres?.stop();
});

describe.each(databases)('on %s', (database) => {
  let stage: Stage;
  beforeAll(async () => {
    const dsn = database === 'Postgres' ? await postgres.createDatabase() : undefined;
    stage = await openStage({ postgres: dsn });
  });
  afterAll(async () => {
    await stage?.close();
  });

  function options(name: string, how: 'CIMD' | 'DCR') {
    const person = stage.person();
    const path = `/${name.replace(/\W/g, '-')}.json`;
    return {
      mcpUrl: stage.mcpUrl,
      metadata,
      ...(how === 'CIMD' && { clientMetadataUrl: stage.documents.publish(path, metadata) }),
      openBrowser: (url: URL) => person.authorize(url),
    };
  }

  describe.each(Object.entries(generations))('%s', (name, create) => {
    test.each(['CIMD', 'DCR'] as const)(
      'connects by %s, lists and calls tools, refreshes, and is refused after revocation',
      async (how) => {
        const client = create(options(name, how));
        await client.connect();

        const isDocument = client.clientInformation().client_id.startsWith('https://');
        expect(isDocument).toBe(how === 'CIMD');
        const sentTo = client.authorizationUrls()[0];
        expect(sentTo?.searchParams.get('code_challenge_method')).toBe('S256');
        expect(sentTo?.searchParams.get('resource')).toBe(stage.mcpUrl);

        expect(await client.listTools()).toContain('list_boards');
        expect(await client.callTool('list_boards')).not.toBe('');

        const first = client.tokens();
        expect(await client.refresh()).toBe('AUTHORIZED');
        const second = client.tokens();
        expect(second.access_token).not.toBe(first.access_token);
        expect(second.refresh_token).not.toBe(first.refresh_token);
        expect(await client.callTool('list_boards')).not.toBe('');
        expect(await introspect(stage, second.access_token)).toMatchObject({ active: true });

        await revoke(stage, second.refresh_token ?? '', client.clientInformation().client_id);
        expect(await introspect(stage, second.access_token)).toEqual({ active: false });
        expect(await client.refresh()).toBe('REDIRECT');
        expect(client.authorizationUrls()).toHaveLength(2);
        await client.close();
      },
    );
  });

  test.each(['CIMD', 'DCR'] as const)(
    'a 2.x client known by %s steps up: 403 insufficient_scope, consent to the union, call works',
    async (how) => {
      const client = createSdkClient(options(`step-up ${how}`, how));
      await client.connect();
      expect(client.tokens().scope?.split(' ')).not.toContain('access_docs');

      expect(await client.callTool('search_docs', { query: 'a' })).not.toBe('');

      const [, second] = client.authorizationUrls();
      const asked = second?.searchParams.get('scope')?.split(' ') ?? [];
      expect(asked).toEqual(expect.arrayContaining(['access_boards', 'access_docs']));
      expect(client.tokens().scope?.split(' ')).toEqual(
        expect.arrayContaining(['access_boards', 'access_docs']),
      );
      expect(await client.callTool('list_boards')).not.toBe('');
      await client.close();
    },
  );

  test('deny sends access_denied with state and iss back to the client', async () => {
    const person = stage.person();
    const backs: URL[] = [];
    const client = createSdkClient({
      ...options('deny', 'DCR'),
      openBrowser: async (url) => {
        const back = await person.authorize(url, { decision: 'deny' });
        backs.push(back);
        return back;
      },
    });

    await expect(client.connect()).rejects.toThrow();

    const [sentTo] = client.authorizationUrls();
    expect(backs[0]?.searchParams.get('error')).toBe('access_denied');
    expect(backs[0]?.searchParams.get('state')).toBe(sentTo?.searchParams.get('state'));
    expect(backs[0]?.searchParams.get('iss')).toBe(stage.issuer);
    expect(backs[0]?.searchParams.has('code')).toBe(false);
  });
});
