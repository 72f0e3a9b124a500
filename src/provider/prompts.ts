import {
  type interactionPolicy as InteractionPolicy,
  type KoaContextWithOIDC,
  interactionPolicy as policies,
} from 'oidc-provider';
import { stateOf } from './request-state.ts';

/** Parameter by which the first authorize request's Sec-Fetch-Site travels; clients cannot send it. */
export const crossSiteParameter = 'authserver_cross_site';
/** Parameter by which the code that a person typed for a device travels to the consent page. */
export const userCodeParameter = 'authserver_user_code';
/** Parameter by which the flow (the attempt that operators see) travels from page to page. */
export const flowParameter = 'authserver_flow';

/** Parameters of ours that live as long as an interaction; whatever a client sends under their names is ignored. */
export const privateParameters = [crossSiteParameter, userCodeParameter, flowParameter] as const;

/**
 * Sets our own parameters where an authorization begins, and nowhere else: a pushed request (RFC 9126)
 * is sent by the client, so only the browser's request that refers to it can say where it came from.
 */
export const extraParams = {
  [crossSiteParameter]: (ctx: KoaContextWithOIDC) => {
    const { params, route } = ctx.oidc;
    const crossSite = route === 'authorization' && stateOf(ctx).crossSite;
    if (params) params[crossSiteParameter] = crossSite ? '1' : undefined;
  },
  [userCodeParameter]: ({ oidc: { params } }: KoaContextWithOIDC) => {
    if (params) params[userCodeParameter] = undefined;
  },
  [flowParameter]: (ctx: KoaContextWithOIDC) => {
    const { params, route } = ctx.oidc;
    const begins = route === 'authorization' || route === 'device_authorization';
    if (params) params[flowParameter] = begins ? stateOf(ctx).flowId : undefined;
  },
};

/**
 * When a person is asked: the library's reasons to sign in, and our own rule of remembered consent
 * in place of the library's (which asks native clients every time).
 */
export function interactionPolicy(): InteractionPolicy.DefaultPolicy {
  const policy = policies.base();
  policy.remove('consent');
  const consent = new policies.Prompt(
    { name: 'consent', requestable: true },
    new policies.Check(
      'consent_missing',
      'this access has not been approved',
      'consent_required',
      (ctx) =>
        // loadAuthorizedGrant found the answer just given, or one that is remembered
        ctx.oidc.entities.Grant?.jti
          ? policies.Check.NO_NEED_TO_PROMPT
          : policies.Check.REQUEST_PROMPT,
    ),
  );
  policy.add(consent);
  return policy;
}

/** Where an interaction's page lives: `/login/{uid}` or `/consent/{uid}` below the issuer. */
export function interactionPath(
  { base }: { base: string },
  interaction: { uid: string; prompt: { name: string } },
): string {
  return `${base}/${interaction.prompt.name === 'login' ? 'login' : 'consent'}/${interaction.uid}`;
}
