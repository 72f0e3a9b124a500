import { changes, event, flag, list, number, optional, text, time } from '../fields.ts';

/** People, their sign-ins and sessions. */
export const peopleEvents = {
  user_login: event('Someone signed in.', {
    method: text('`password`, `setup_link` …'),
    purpose: optional(text('what for: `authorize`, `admin`, `account` …')),
    provider: optional(text('slug of the identity provider')),
  }),
  user_login_failed: event('A sign-in failed. What was typed is not recorded.', {
    reason: text('`invalid`, `locked`, `disabled` …'),
    method: optional(text('`password` …')),
    known_account: optional(flag('whether the account exists')),
    provider: optional(text('slug of the identity provider')),
  }),
  user_locked_out: event('Too many failed sign-ins locked an account or an address for a while.', {
    what: text('`account` or `address`'),
    until: time('when it may be tried again'),
    failures: optional(number('how many failures led to it')),
    address: optional(text('the locked address or IPv6 /64')),
    guessed: optional(text('what was guessed where it was no password: `user_code` or `api_key`')),
  }),
  user_logout: event('Someone signed out.', { reason: optional(text('why')) }),
  user_created: event('A local account was made.', {
    email: text('its e-mail address'),
    source: text('`config`, `admin`, `cli`, `setup` or `issuer`'),
    name: optional(text('its name')),
    role: optional(text('its role in the administration')),
    groups: optional(list('its groups')),
  }),
  user_updated: event('An account changed.', { changes: changes('what changed') }),
  user_password_changed: event('The password of an account was set.', {
    source: optional(text('`config`, `admin`, `cli`, `account` …')),
  }),
  user_disabled: event('An account was disabled; its sessions and tokens ended.', {
    reason: optional(text('why')),
  }),
  user_enabled: event('A disabled account may sign in again.', { reason: optional(text('why')) }),
  owner_created: event('The first owner was made through the one-time link.', {
    email: text('its e-mail address'),
  }),
  setup_link_created: event('A one-time link that makes the first owner was printed.', {
    expires_at: time('until when it works'),
  }),
  sessions_ended: event('Sign-in sessions were ended.', {
    count: number('how many'),
    reason: text('why'),
  }),
} as const;
