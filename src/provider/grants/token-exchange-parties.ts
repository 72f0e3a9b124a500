import type { Resource } from '../../resources/index.ts';
import {
  type ExchangeSubject,
  findSubject,
  type IssuedToken,
  requireActor,
  requireSubject,
} from '../../tokens/index.ts';
import type { ProviderDeps } from '../deps.ts';
import { findPresented, findPresentedBy } from '../presented.ts';
import type { ExchangeAsked } from './token-exchange-request.ts';

export interface ExchangeParties {
  subject: ExchangeSubject;
  /** The resource of the subject token. */
  source: Resource;
  actor: IssuedToken | undefined;
}

/**
 * Whose token is exchanged, for which resource it was, and who acts, where the request says so.
 *
 * @throws OAuthError invalid_request (RFC 8693 §2.2.2)
 */
export async function partiesOf(
  deps: ProviderDeps,
  { request: { subjectToken, actorToken }, caller, now }: ExchangeAsked,
): Promise<ExchangeParties> {
  const read = findSubject(deps.db);
  const found = await findPresentedBy(deps, subjectToken, (jti) => read(jti, caller.clientId));
  const audience = found && deps.resources.resolve(found.resource);
  const parties = requireSubject({ found, caller, audience, now });
  if (actorToken === undefined) return { ...parties, actor: undefined };
  const actor = requireActor(await findPresented(deps, actorToken), caller, now);
  return { ...parties, actor };
}
