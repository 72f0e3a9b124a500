import { event, flag, list, number, optional, text } from '../fields.ts';

/** What people allowed and withdrew. */
export const consentEvents = {
  consent_granted: event('Someone allowed a client to act for them.', {
    scopes: list('the scopes that were ticked'),
    redirect_host: text('where the answer went'),
    grant_id: optional(text('the grant row')),
    family_id: optional(text('the token family of this authorization')),
    offered_scopes: optional(list('the scopes that the page offered')),
    workspace_id: optional(text('the workspace that was chosen')),
    reasons: optional(list('why the page was shown')),
    remembered: optional(flag('true when an earlier consent answered without a page')),
  }),
  consent_denied: event('Someone refused a client.', {
    scopes: list('the scopes that the page offered'),
    redirect_host: text('where the answer went'),
  }),
  consent_revoked: event('A grant was withdrawn; every token under it ended.', {
    grant_id: text('the grant row'),
    reason: optional(text('who or what withdrew it')),
    families: optional(number('how many token families ended')),
  }),
} as const;
