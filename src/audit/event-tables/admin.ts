import { event, optional, text, time } from '../fields.ts';

/** Who may use the administration, and what operators do to accounts. */
export const adminEvents = {
  admin_sign_in_refused: event(
    'Someone with the right password, or signed in at an identity provider, has no role here.',
    {
      method: text('`password` or `identity_provider`'),
      provider: optional(text('slug of the identity provider')),
    },
  ),
  admin_session_started: event('A session of the administration began.', {
    method: text('`password` or `identity_provider`'),
    provider: optional(text('slug of the identity provider')),
    role: text('what they may do at the time; `workspace`: see their workspaces'),
    ends_at: time('when it ends whatever is done'),
  }),
  api_key_created: event('An API key for a program was made.', {
    key_id: text('its id'),
    name: text('its name'),
    role: text('what it may do'),
    expires_at: optional(time('until when it works; absent: until it is revoked')),
  }),
  api_key_revoked: event('An API key was ended.', {
    key_id: text('its id'),
    name: text('its name'),
    role: text('what it could do'),
  }),
  user_invited: event('An invitation link was made, with which a person chooses a password.', {
    expires_at: time('until when it works'),
  }),
  password_reset_link_created: event('A link was made with which a person sets a new password.', {
    expires_at: time('until when it works'),
  }),
  password_link_used: event('A one-time link was used to set a password.', {
    purpose: text('`invite` or `reset`'),
  }),
  user_unlocked: event('A person who had typed too many wrong passwords may try again.', {}),
} as const;
