import {
  type interactionPolicy as InteractionPolicy,
  interactionPolicy as policies,
} from 'oidc-provider';

/** Parameter by which the first authorize request's Sec-Fetch-Site travels; clients cannot send it. */
export const crossSiteParameter = 'authserver_cross_site';

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
