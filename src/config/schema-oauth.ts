import { z } from 'zod';
import { count, duration, flag, hostPattern, oneOf, slug, text } from './values.ts';

const switchedOn = (description: string) =>
  z.strictObject({ enabled: flag(description).prefault(true) }).prefault({});

/** Sections about the protocol: what is issued, to whom, and by which grants. */
export const oauthSections = {
  signing: z
    .strictObject({
      algorithm: oneOf('Algorithm of newly made signing keys.', [
        'ES256',
        'EdDSA',
        'PS256',
        'RS256',
      ]).prefault('ES256'),
      rotate_every: duration('How long one key signs.', { min: '1h' }).prefault('90d'),
      publish_before: duration('How long the next key is published before it signs.', {
        min: '1m',
      }).prefault('24h'),
    })
    .describe('Signing keys.')
    .prefault({}),

  oauth: z
    .strictObject({
      require_scope: flag(
        'Refuse an authorization request without `scope`. Off, the default scopes of the resource are asked for: Claude Code and others omit it.',
      ).prefault(false),
      default_resource: text(
        'URI of the resource that is meant when a client sends no `resource`.',
      ).optional(),
      refresh_overlap: duration(
        'A refresh token used again within this time gets the same successor: parallel processes share tokens. `0s` switches it off.',
        { min: '0s', max: '10m' },
      ).prefault('60s'),
      code_ttl: duration('How long an authorization code lives.', { max: '10m' }).prefault('60s'),
    })
    .describe('Authorization requests.')
    .prefault({}),

  tokens: z
    .strictObject({
      access_ttl: duration('How long an access token lives.').prefault('15m'),
      refresh_ttl: duration('How long an unused refresh token lives.').prefault('168h'),
      refresh_absolute_ttl: duration(
        'How long one authorization can be refreshed in all.',
      ).prefault('90d'),
      machine_ttl: duration('How long an access token from client_credentials lives.').prefault(
        '1h',
      ),
      personal_access_max_ttl: duration('How long a personal access token may live at most.', {
        min: '1h',
      }).prefault('365d'),
    })
    .describe('How long tokens live.')
    .prefault({}),

  dcr: z
    .strictObject({
      mode: oneOf('Who may register a client (RFC 7591).', [
        'open',
        'approved_redirects',
        'initial_access_token',
        'admin_only',
      ]).prefault('open'),
      approved_redirects: z
        .array(text('A redirect URI'))
        .describe('Redirect URIs that may be registered in the mode `approved_redirects`.')
        .prefault([]),
      rate_limit: count('Registrations per second and address.', 1, 10_000).prefault(10),
      rate_limit_burst: count('Registrations that may come at once.', 1, 10_000).prefault(20),
      unused_ttl: duration('A registered client without a live grant is removed after this time.', {
        min: '1h',
      }).prefault('30d'),
      allow_device: flag('Registered clients may use the device grant.').prefault(false),
    })
    .describe('Dynamic client registration.')
    .prefault({}),

  cimd: z
    .strictObject({
      enabled: flag('Accept an https URL of a client metadata document as client_id.').prefault(
        true,
      ),
      allowed_hosts: z
        .array(hostPattern())
        .describe(
          'Only documents from these hosts; empty means any. `*.example.com` covers subdomains.',
        )
        .prefault([]),
      denied_hosts: z
        .array(hostPattern())
        .describe('Never documents from these hosts.')
        .prefault([]),
      cache_ttl: duration('How long a document is kept when its headers do not say.', {
        max: '30d',
      }).prefault('1h'),
      fetch_timeout: duration('How long fetching a document may take in all.', {
        max: '30s',
      }).prefault('3s'),
      allow_private_addresses: flag(
        'Fetch documents from private addresses too. For tests: needs an issuer on this computer.',
      ).prefault(false),
    })
    .describe('Client ID metadata documents.')
    .prefault({}),

  dpop: z
    .strictObject({
      enabled: flag('Bind tokens to a key when the client proves one (RFC 9449).').prefault(true),
      require_nonce: flag('Demand a nonce from the server in every proof.').prefault(false),
      proof_lifetime: duration('How old or how early a proof may be.', { max: '10m' }).prefault(
        '60s',
      ),
    })
    .describe('Proof of possession.')
    .prefault({}),

  client_credentials: switchedOn('Tokens for machines.').describe('Client credentials grant.'),
  token_exchange: z
    .strictObject({
      enabled: flag('Exchange a token for a narrower one (RFC 8693).').prefault(true),
      max_chain_depth: count('Actors a token may name, one inside the other.', 1, 10).prefault(3),
    })
    .describe('Token exchange.')
    .prefault({}),
  xaa: switchedOn('Accept identity assertions (ID-JAG) from trusted issuers.').describe(
    'Enterprise-managed authorization.',
  ),
  device: switchedOn('Sign in on another device (RFC 8628).').describe('Device grant.'),

  compatibility: z
    .strictObject({
      strict: flag('Switch every accommodation for a particular client off.').prefault(false),
      disabled: z
        .array(slug('A rule'))
        .describe('Names of accommodations to switch off; docs/compatibility.md lists them.')
        .prefault([]),
    })
    .describe('Accommodations for real clients.')
    .prefault({}),
};
