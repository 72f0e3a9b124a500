import { OAuthError } from '../../oauth/index.ts';
import { type ExchangeCaller, type PresentedTokens, presentedTokens } from '../../tokens/index.ts';
import type { ProviderDeps } from '../deps.ts';
import { knownClient } from '../known-client.ts';

/** What a token exchange request names (RFC 8693 §2.1); the library drops every other parameter. */
export const parameters = [
  'subject_token',
  'subject_token_type',
  'actor_token',
  'actor_token_type',
  'requested_token_type',
  'resource',
  'audience',
  'scope',
];

/** Those that may be repeated (§2.1). */
export const repeatable = ['resource', 'audience'];

export interface ExchangeRequest extends PresentedTokens {
  resource: string[];
  audience: string[];
  scope: string | undefined;
}

/** What is asked, by whom, and when. */
export interface ExchangeAsked {
  request: ExchangeRequest;
  caller: ExchangeCaller;
  now: Date;
}

/** Reads the request. @throws OAuthError invalid_request where a type is missing or none of ours */
export function exchangeRequest(sent: Record<string, unknown> = {}): ExchangeRequest {
  return {
    ...presentedTokens({
      subject_token: text(sent.subject_token),
      subject_token_type: text(sent.subject_token_type),
      actor_token: text(sent.actor_token),
      actor_token_type: text(sent.actor_token_type),
      requested_token_type: text(sent.requested_token_type),
    }),
    resource: texts(sent.resource),
    audience: texts(sent.audience),
    scope: text(sent.scope),
  };
}

/**
 * The client that asks: one that an operator made and that has authenticated. The registration holds that
 * already; this holds it where a token is about to be minted. Attack: a client that anybody can register
 * exchanges what it got hold of.
 *
 * @throws OAuthError unauthorized_client
 */
export async function exchangeCaller(
  { clients }: Pick<ProviderDeps, 'clients'>,
  clientId: string | undefined,
): Promise<ExchangeCaller> {
  const client = clientId === undefined ? undefined : await knownClient(clients, clientId);
  const isConfidential = client && client.metadata.token_endpoint_auth_method !== 'none';
  if (isConfidential && client.kind === 'preregistered') {
    return { clientId: client.clientId, scope: client.scope, resources: client.resources };
  }
  throw new OAuthError(
    'unauthorized_client',
    'Token exchange is for clients that the operator registered and that authenticate.',
  );
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function texts(value: unknown): string[] {
  return [value].flat().filter((one) => typeof one === 'string');
}
