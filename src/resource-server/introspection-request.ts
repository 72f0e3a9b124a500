import { importJWK, SignJWT } from 'jose';
import { collect } from './body.ts';
import type { IntrospectionSettings } from './options.ts';
import { isRecord } from './record.ts';

/** The authorization server did not take this resource server's credentials. */
export class CredentialsRefused extends Error {
  override name = 'CredentialsRefused';
}

export type IntrospectionRequest = {
  endpoint: string;
  issuer: string;
  settings: IntrospectionSettings;
  token: string;
};

const largestAnswer = 64 * 1024;
const assertionSeconds = 60;

/**
 * Asks once about one token (RFC 7662 §2.1).
 * @returns the answer as it is; it may say that the token is inactive
 * @throws CredentialsRefused naming what to check; Error for every other answer that is none. They never hold the token.
 */
export async function requestIntrospection(
  request: IntrospectionRequest,
  deps: { fetch: typeof fetch; now: () => Date },
): Promise<Record<string, unknown>> {
  const { endpoint, settings, token } = request;
  const { headers, parameters } = await authentication(request, deps.now());
  const response = await deps.fetch(endpoint, {
    method: 'POST',
    headers: {
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded',
      ...headers,
    },
    body: new URLSearchParams({ token, ...parameters }).toString(),
    redirect: 'manual',
    signal: AbortSignal.timeout(settings.timeoutSeconds * 1000),
  });
  const answer = await readAnswer(response);
  if (response.status === 200 && typeof answer?.active === 'boolean') return answer;
  if (response.status === 200) throw new Error(`${endpoint} answered no introspection (RFC 7662)`);
  throw refusedRequest(endpoint, settings.clientId, response.status, answer);
}

/** RFC 6749 §2.3.1 form-encodes both parts before Basic; RFC 7523 §3 for the assertion. */
async function authentication(
  { issuer, settings }: IntrospectionRequest,
  now: Date,
): Promise<{ headers: Record<string, string>; parameters: Record<string, string> }> {
  const { clientId, credential } = settings;
  if (credential.kind === 'secret') {
    const pair = `${formEncoded(clientId)}:${formEncoded(credential.secret)}`;
    return { headers: { authorization: `Basic ${btoa(pair)}` }, parameters: {} };
  }
  const { alg = '', kid } = credential.jwk;
  const iat = Math.floor(now.getTime() / 1000);
  const assertion = await new SignJWT({ jti: crypto.randomUUID() })
    .setProtectedHeader({ alg, ...(kid === undefined ? {} : { kid }) })
    .setIssuer(clientId)
    .setSubject(clientId)
    .setAudience(issuer)
    .setIssuedAt(iat)
    .setExpirationTime(iat + assertionSeconds)
    .sign(await importJWK(credential.jwk, alg));
  return {
    headers: {},
    parameters: {
      client_id: clientId,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
    },
  };
}

const formEncoded = (text: string) => new URLSearchParams({ v: text }).toString().slice(2);

async function readAnswer(response: Response): Promise<Record<string, unknown> | undefined> {
  const bytes = response.body ? await collect(response.body, largestAnswer) : new Uint8Array();
  try {
    const answer: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return isRecord(answer) ? answer : undefined;
  } catch {
    return undefined;
  }
}

function refusedRequest(
  endpoint: string,
  clientId: string,
  status: number,
  answer: Record<string, unknown> | undefined,
): Error {
  const told = [answer?.error, answer?.error_description].filter((one) => typeof one === 'string');
  const said = `${endpoint} answered ${[status, ...told].join(' ')}`;
  const aboutClient = status === 401 || status === 403 || answer?.error === 'invalid_client';
  if (!aboutClient) return new Error(said);
  return new CredentialsRefused(
    `${said}: it does not take the client ${clientId}. Check introspection.clientId and its clientSecret or privateKey, and that the client exists there and is no public one`,
  );
}
