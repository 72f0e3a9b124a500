import * as oauth from 'oauth4webapi';
import { type Circuit, type GuardedRequest, isBusy } from '../http/index.ts';
import { problemOf, readAnswer, withoutIdToken } from './oauth-answers.ts';
import { UpstreamProblem } from './problem.ts';
import type { Registration } from './registration-row.ts';
import { readTokenAnswer, type UpstreamTokens } from './token-answer.ts';
import type { Ways } from './ways.ts';

export interface OAuthClientDeps {
  /** The guarded way out, with limits of its own: whoever hangs here takes no place elsewhere (R26). */
  request: GuardedRequest;
  ways: Ways;
  circuit: Circuit;
  now: () => Date;
}

export type OAuthClient = ReturnType<typeof createOAuthClient>;

/**
 * We as the client of other authorization servers (RFC 6749, 7009, 7591, 8707, 9207), by oauth4webapi.
 * `requester` is the workspace for which something is asked: limits and pauses are its own.
 */
export function createOAuthClient(deps: OAuthClientDeps) {
  const { request, ways, circuit, now } = deps;

  /**
   * The way out for one issuer, which is left alone for a while when it does not answer. Attack: a workspace
   * that makes its own requests there fail, so that nobody else's are made.
   */
  function wayTo(issuer: string, requester: string) {
    const key = `${requester} ${issuer}`;
    const send = async (
      url: string,
      {
        method,
        headers,
        body,
      }: { method: string; headers: Record<string, string>; body?: unknown },
    ): Promise<Response> => {
      if (!circuit.allows(key)) throw paused(issuer, circuit.retryAfter(key));
      try {
        const response = await request(url, {
          method: method === 'POST' ? 'POST' : 'GET',
          headers,
          body: body === undefined || body === null ? undefined : String(body),
          reach: ways.reachOf(url),
          requester,
        });
        if (response.status >= 500) circuit.failed(key);
        else circuit.answered(key);
        return response;
      } catch (cause) {
        if (!isBusy(cause)) circuit.failed(key);
        throw cause;
      }
    };
    return {
      [oauth.customFetch]: send,
      [oauth.allowInsecureRequests]: issuer.startsWith('http:') && ways.isWay(issuer),
    };
  }

  async function tokens(
    registration: Registration,
    asked: readonly string[],
    exchange: (parties: Parties) => Promise<oauth.TokenEndpointResponse>,
  ): Promise<UpstreamTokens> {
    try {
      const answer = await exchange(partiesOf(registration));
      return readTokenAnswer(answer, { asked, now: now() });
    } catch (error) {
      throw problemOf(error);
    }
  }

  return {
    /**
     * Redeems the answer that a browser brought: `state`, `iss` (RFC 9207) and the code.
     *
     * @throws UpstreamProblem
     */
    redeem(
      registration: Registration,
      answer: {
        query: URLSearchParams;
        state: string;
        codeVerifier: string;
        resource: string;
        scopes: readonly string[];
        requester: string;
      },
    ): Promise<UpstreamTokens> {
      return tokens(registration, answer.scopes, async ({ server, client, authentication }) => {
        const checked = oauth.validateAuthResponse(server, client, answer.query, answer.state);
        const response = await oauth.authorizationCodeGrantRequest(
          server,
          client,
          authentication,
          checked,
          registration.redirectUri,
          answer.codeVerifier,
          {
            additionalParameters: { resource: answer.resource },
            ...wayTo(registration.issuer, answer.requester),
          },
        );
        return oauth.processAuthorizationCodeResponse(
          server,
          client,
          withoutIdToken(await readAnswer(response), 'refuse'),
        );
      });
    },

    /** @throws UpstreamProblem; `refused` with `invalid_grant` where the refresh token is good no more */
    refresh(
      registration: Registration,
      held: {
        refreshToken: string;
        resource: string;
        scopes: readonly string[];
        requester: string;
      },
    ): Promise<UpstreamTokens> {
      return tokens(registration, held.scopes, async ({ server, client, authentication }) => {
        const response = await oauth.refreshTokenGrantRequest(
          server,
          client,
          authentication,
          held.refreshToken,
          {
            additionalParameters: { resource: held.resource },
            ...wayTo(registration.issuer, held.requester),
          },
        );
        return oauth.processRefreshTokenResponse(
          server,
          client,
          withoutIdToken(await readAnswer(response), 'cut'),
        );
      });
    },

    /** Ends a token where it came from (RFC 7009). @throws UpstreamProblem */
    async revoke(
      registration: Registration,
      { token, hint, requester }: { token: string; hint: string; requester: string },
    ): Promise<void> {
      const { server, client, authentication } = partiesOf(registration);
      try {
        const response = await oauth.revocationRequest(server, client, authentication, token, {
          additionalParameters: { token_type_hint: hint },
          ...wayTo(registration.issuer, requester),
        });
        await oauth.processRevocationResponse(response);
      } catch (error) {
        throw problemOf(error);
      }
    },

    /** Registers us (RFC 7591 §3.1). @throws UpstreamProblem */
    async enrol(
      {
        issuer,
        registrationEndpoint,
        requester,
      }: { issuer: string; registrationEndpoint: string; requester: string },
      metadata: Parameters<typeof oauth.dynamicClientRegistrationRequest>[1],
    ): Promise<Record<string, unknown>> {
      const server = { issuer, registration_endpoint: registrationEndpoint };
      try {
        const response = await oauth.dynamicClientRegistrationRequest(
          server,
          metadata,
          wayTo(issuer, requester),
        );
        const { json } = await readAnswer(response);
        const isDone = response.status === 201 || response.status === 200;
        // Many leave out client_secret_expires_at, which the library insists on; our reader checks the rest.
        if (isDone && json) return json;
        return { ...(await oauth.processDynamicClientRegistrationResponse(response)) };
      } catch (error) {
        throw problemOf(error);
      }
    },
  };
}

interface Parties {
  server: oauth.AuthorizationServer;
  client: oauth.Client;
  authentication: oauth.ClientAuth;
}

function partiesOf({ clientId, clientSecret = '', authMethod, discovery }: Registration): Parties {
  return {
    server: {
      issuer: discovery.issuer,
      token_endpoint: discovery.tokenEndpoint,
      revocation_endpoint: discovery.revocationEndpoint,
      authorization_response_iss_parameter_supported:
        discovery.authorizationResponseIssParameterSupported,
    },
    client: { client_id: clientId },
    authentication: authenticationBy(authMethod, clientSecret),
  };
}

function authenticationBy(method: Registration['authMethod'], secret: string): oauth.ClientAuth {
  if (method === 'none' || secret === '') return oauth.None();
  if (method === 'client_secret_post') return oauth.ClientSecretPost(secret);
  return byHeader(secret);
}

/** RFC 6749 §2.3.1. The library writes `-` and `_` as `%2D` and `%5F` too, which many servers take as they are. */
function byHeader(secret: string): oauth.ClientAuth {
  const encoded = (text: string) => new URLSearchParams([['', text]]).toString().slice(1);
  return (_server, { client_id: id }, _body, headers) => {
    const pair = Buffer.from(`${encoded(id)}:${encoded(secret)}`).toString('base64');
    headers.set('authorization', `Basic ${pair}`);
  };
}

function paused(issuer: string, retryAfter: number): UpstreamProblem {
  return new UpstreamProblem('paused', `${issuer} did not answer several times.`, { retryAfter });
}
