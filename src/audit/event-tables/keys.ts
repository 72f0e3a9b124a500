import { event, flag, number, text, time } from '../fields.ts';

/** Signing keys. */
export const keysEvents = {
  key_published: event('A new signing key was made and published; it signs later.', {
    kid: text('the key'),
    alg: text('its algorithm'),
    signs_from: time('when it begins to sign'),
    reason: text('why: `first_start`, `schedule`, `algorithm_changed` or `command`'),
  }),
  key_rotated: event('Another signing key signs now; the old one stays published for a while.', {
    kid: text('the key that signs now'),
    alg: text('its algorithm'),
    previous_kid: text('the key that signed before'),
    published_until: time('until when the previous key stays published'),
  }),
  key_withdrawn: event(
    'A key was withdrawn by command: whatever it signed is refused from now on.',
    {
      kid: text('the key'),
      alg: text('its algorithm'),
      signed_until_now: flag('whether it was the key that signs; another signs now'),
    },
  ),
  key_removed: event('A retired signing key was deleted; no token signed by it can be alive.', {
    kid: text('the key'),
  }),
  data_reencrypted: event(
    'What the database keeps secret was encrypted under another data-encryption key.',
    {
      resealed: number('values under the new key'),
      unreadable: number('values that neither key opens; they stay as they are'),
      removed: number('short-lived rows that were removed instead'),
    },
  ),
} as const;
