import { exportJWK, generateKeyPair } from 'jose';
import * as resourceServer from 'oauth4webapi';
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type PostgresServer, startPostgres } from './support/postgres.ts';
import { openStage, type Stage } from './support/stage.ts';

/**
 * openid-client as the client and oauth4webapi as the resource server: two libraries that are not ours
 * must find everything that they need in our metadata and agree with every answer.
 */

const callback = 'https://app.example/callback';
const secret = 'a-secret-of-the-web-client';
const accessToken = 'urn:ietf:params:oauth:token-type:access_token';
const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange';
const signing = await generateKeyPair('ES256', { extractable: true });

let postgres: PostgresServer;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres?.stop());

describe.each(['PGlite', 'Postgres'])('on %s', (database) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage({
      postgres: database === 'Postgres' ? await postgres.createDatabase() : undefined,
      clients: await registrations(),
    });
  });
  afterAll(() => stage?.close());

  /** A client that knows the issuer, and learns the rest from the metadata. */
  function discover(id: string, authentication: client.ClientAuth, metadata = {}) {
    const insecure: client.DiscoveryRequestOptions = {
      execute: [client.allowInsecureRequests],
      algorithm: 'oauth2',
    };
    return client.discovery(new URL(stage.issuer), id, metadata, authentication, insecure);
  }
  const web = (metadata = {}) => discover('web', client.ClientSecretBasic(secret), metadata);
  const boards = () =>
    discover(stage.boardsClient.id, client.ClientSecretBasic(stage.boardsClient.secret));

  /** What the resource server knows of the issuer, from its metadata. */
  async function authorizationServer(): Promise<resourceServer.AuthorizationServer> {
    const issuer = new URL(stage.issuer);
    const options = { algorithm: 'oauth2', [resourceServer.allowInsecureRequests]: true } as const;
    const answer = await resourceServer.discoveryRequest(issuer, options);
    return resourceServer.processDiscoveryResponse(issuer, answer);
  }

  /** Lets the MCP server's library check a call with a token, as it would come to it. */
  async function validate(request: Request) {
    return resourceServer.validateJwtAccessToken(
      await authorizationServer(),
      request,
      stage.mcpUrl,
      {
        [resourceServer.allowInsecureRequests]: true,
      },
    );
  }

  function call(token: string): Request {
    return new Request(stage.mcpUrl, { headers: { authorization: `Bearer ${token}` } });
  }

  /** Signs Alice in, pushed (RFC 9126) or not, and gets the tokens. */
  async function signIn(
    config: client.Configuration,
    { pushed = false, dpop }: { pushed?: boolean; dpop?: client.DPoPHandle } = {},
  ) {
    const verifier = client.randomPKCECodeVerifier();
    const state = client.randomState();
    const parameters = {
      redirect_uri: callback,
      scope: 'access_boards access_docs',
      resource: stage.mcpUrl,
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state,
    };
    const url = pushed
      ? await client.buildAuthorizationUrlWithPAR(config, parameters, dpop && { DPoP: dpop })
      : client.buildAuthorizationUrl(config, parameters);
    const back = await stage.person().authorize(url);
    const checks = { pkceCodeVerifier: verifier, expectedState: state };
    return client.authorizationCodeGrant(config, back, checks, {}, dpop && { DPoP: dpop });
  }

  describe('machines', () => {
    test('a secret buys a JWT that the resource server accepts (RFC 9068)', async () => {
      const config = await discover('bot', client.ClientSecretPost(secret));
      const parameters = { resource: stage.mcpUrl, scope: 'access_boards' };
      const tokens = await client.clientCredentialsGrant(config, parameters);
      const claims = await validate(call(tokens.access_token));
      expect(claims).toMatchObject({ sub: 'bot', client_id: 'bot', scope: 'access_boards' });
    });

    test('a signed assertion does too, and no client_id need be in the body (RFC 7523)', async () => {
      const config = await discover('signer', client.PrivateKeyJwt(signing.privateKey));
      const tokens = await client.clientCredentialsGrant(config, { resource: stage.mcpUrl });
      expect(await validate(call(tokens.access_token))).toMatchObject({ sub: 'signer' });
    });
  });

  describe('people', () => {
    test('a pushed request leads to tokens that refresh, and revocation ends them', async () => {
      const config = await web();
      const tokens = await signIn(config, { pushed: true });
      expect(tokens.scope?.split(' ').sort()).toEqual(['access_boards', 'access_docs']);
      const next = await client.refreshTokenGrant(config, tokens.refresh_token ?? '');
      expect(await validate(call(next.access_token))).toMatchObject({ client_id: 'web' });
      await client.tokenRevocation(config, next.refresh_token ?? '');
      const answer = await client.tokenIntrospection(await boards(), next.access_token);
      expect(answer).toEqual({ active: false });
      await expect(
        client.refreshTokenGrant(config, next.refresh_token ?? ''),
      ).rejects.toMatchObject({
        error: 'invalid_grant',
      });
    });

    test('a client that must push is refused without, and served with it (RFC 9126 §6)', async () => {
      const config = await discover('pusher', client.ClientSecretBasic(secret));
      await expect(signIn(config)).rejects.toThrow();
      expect(await signIn(config, { pushed: true })).toMatchObject({ token_type: 'bearer' });
    });

    test('a DPoP-bound token is accepted by the resource server with a proof of its key only', async () => {
      const config = await web();
      const keys = await client.randomDPoPKeyPair('ES256');
      const dpop = client.getDPoPHandle(config, keys);
      const tokens = await signIn(config, { dpop });
      expect(tokens.token_type).toBe('dpop');
      const sent: Request[] = [];
      await client.fetchProtectedResource(
        Object.assign(config, {
          [client.customFetch]: (url: string, options: object) => {
            sent.push(new Request(url, options));
            return Promise.resolve(new Response());
          },
        }),
        tokens.access_token,
        new URL(stage.mcpUrl),
        'GET',
        null,
        undefined,
        { DPoP: dpop },
      );
      const [request] = sent;
      if (!request) throw new Error('no call was made');
      expect((await validate(request)).cnf).toMatchObject({ jkt: expect.any(String) });
      await expect(validate(call(tokens.access_token))).rejects.toThrow();
    });
  });

  describe('the resource server', () => {
    test('exchanges a token for a narrower one that names it as the actor (RFC 8693)', async () => {
      const tokens = await signIn(await web());
      const config = await boards();
      const exchanged = await client.genericGrantRequest(config, tokenExchange, {
        subject_token: tokens.access_token,
        subject_token_type: accessToken,
        scope: 'access_boards',
      });
      expect(exchanged.issued_token_type).toBe(accessToken);
      const claims = await validate(call(exchanged.access_token));
      expect(claims).toMatchObject({
        scope: 'access_boards',
        client_id: stage.boardsClient.id,
        act: { sub: stage.boardsClient.id },
      });
      await client.tokenRevocation(await web(), tokens.access_token);
      const answer = await client.tokenIntrospection(config, exchanged.access_token);
      expect(answer).toEqual({ active: false });
    });

    test('introspects as JSON and as a signed JWT whose signature it checks (RFC 7662, RFC 9701)', async () => {
      const { access_token: token } = await signIn(await web());
      const as = await authorizationServer();
      const { id, secret: own } = stage.boardsClient;
      const self = { client_id: id };
      const authentication = resourceServer.ClientSecretBasic(own);
      for (const requestJwtResponse of [false, true]) {
        const asked = await resourceServer.introspectionRequest(as, self, authentication, token, {
          requestJwtResponse,
          [resourceServer.allowInsecureRequests]: true,
        });
        const answer = await resourceServer.processIntrospectionResponse(as, self, asked);
        expect(answer).toMatchObject({
          active: true,
          client_id: 'web',
          username: stage.alice.email,
        });
        if (!requestJwtResponse) continue;
        await resourceServer.validateApplicationLevelSignature(as, asked, {
          [resourceServer.allowInsecureRequests]: true,
        });
      }
    });
  });

  async function registrations() {
    const keys = { keys: [{ ...(await exportJWK(signing.publicKey)), kid: 's1', alg: 'ES256' }] };
    const machine = () => ({ grant_types: ['client_credentials'] });
    const application = () => ({ client_secret: secret, redirect_uris: [callback] });
    return [
      { client_id: 'web', ...application() },
      { client_id: 'pusher', ...application(), require_pushed_authorization_requests: true },
      {
        client_id: 'bot',
        client_secret: secret,
        token_endpoint_auth_method: 'client_secret_post',
        ...machine(),
      },
      { client_id: 'signer', jwks: keys, ...machine() },
    ];
  }
});
