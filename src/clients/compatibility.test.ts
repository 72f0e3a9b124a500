import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { clientsConfig, publicKey, withoutRules } from './clients.testing.ts';
import { compatibilityReference, compatibilityRules, createRuleLog } from './compatibility.ts';
import { decideDocument, decideRegistration } from './policy.ts';
import {
  chatGpt,
  chatGptShared,
  claudeCode,
  codeAndRefresh,
  openCode,
  realRegistrations,
} from './real-clients.testing.ts';

const strict = clientsConfig({ compatibility: { strict: true, disabled: [] } });

describe('the table of rules', () => {
  it('has unique names in the form that the configuration accepts', () => {
    const names = compatibilityRules.map((rule) => rule.name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/);
  });

  it('a disabled rule is not used and not recorded; strict disables all', () => {
    const some = createRuleLog({ strict: false, disabled: ['omit-null-members'] });
    expect(some.use('omit-null-members')).toBe(false);
    expect(some.use('auth-method-list')).toBe(true);
    expect(some.applied()).toEqual(['auth-method-list']);
    const none = createRuleLog({ strict: true, disabled: [] });
    expect(compatibilityRules.map((rule) => none.use(rule.name))).not.toContain(true);
  });
});

describe('docs/compatibility.md', () => {
  it('is not stale', () => {
    const committed = readFileSync(new URL('../../docs/compatibility.md', import.meta.url), 'utf8');
    expect(committed).toBe(compatibilityReference());
  });

  it.each(compatibilityRules)('tells of $name what it does and what happens without it', (rule) => {
    const row = compatibilityReference().split(`\n| \`${rule.name}\` | `)[1]?.split('\n')[0];
    expect(row).toContain(rule.client);
    expect(row).toContain(rule.when);
    expect(row).toMatch(/; off: \w/);
  });
});

describe('the registration of a real client is accepted', () => {
  it.each(Object.entries(realRegistrations))('%s', (_client, { body, rules }) => {
    const decision = decideRegistration(body, clientsConfig());
    expect([...decision.rules].sort()).toEqual([...rules].sort());
    expect(decision.metadata.redirect_uris).toEqual(body.redirect_uris);
    expect(decision.metadata.grant_types).toEqual(codeAndRefresh);
    expect(decision.metadata.token_endpoint_auth_method).toBe(body.token_endpoint_auth_method);
    expect(decision).not.toHaveProperty('scope');
  });

  const helped = Object.entries(realRegistrations).flatMap(([client, { body, rules }]) =>
    rules
      .filter((rule) => rule !== 'intersect-response-types')
      .map((rule) => ({ client, body, rule })),
  );
  it.each(helped)('$client is refused without the rule $rule', ({ body, rule }) => {
    expect(() => decideRegistration(body, withoutRules(rule))).toThrow(
      /invalid_(redirect_uri|client_metadata)/,
    );
  });
});

describe('the metadata document of a real client is accepted', () => {
  it('Claude Code: port-less loopback redirect URIs and no application_type', () => {
    const decision = decideDocument(claudeCode.client_id, claudeCode, clientsConfig());
    expect(decision.metadata).toMatchObject({
      application_type: 'native',
      redirect_uris: claudeCode.redirect_uris,
      token_endpoint_auth_method: 'none',
    });
    expect([...decision.rules].sort()).toEqual([
      'localhost-redirect',
      'native-when-loopback',
      'portless-loopback',
    ]);
  });

  it('Claude Code: a document without method and grant types gets none, code and refresh', () => {
    const { token_endpoint_auth_method: _, grant_types: __, ...sparse } = claudeCode;
    const { metadata, rules } = decideDocument(claudeCode.client_id, sparse, clientsConfig());
    expect(metadata).toMatchObject({
      token_endpoint_auth_method: 'none',
      grant_types: codeAndRefresh,
    });
    expect(rules).toContain('auth-method-none-when-absent');
    expect(rules).toContain('default-grant-types');
  });

  it('ChatGPT: both methods of its list are good', () => {
    const { metadata, rules } = decideDocument(chatGpt.client_id, chatGpt, clientsConfig());
    expect(metadata).toMatchObject({
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_methods_supported: ['private_key_jwt', 'none'],
      jwks_uri: chatGpt.jwks_uri,
    });
    expect(rules).toEqual(['auth-method-list']);
  });

  it('ChatGPT: without the rule its list is not looked at', () => {
    const { metadata } = decideDocument(
      chatGpt.client_id,
      chatGpt,
      withoutRules('auth-method-list'),
    );
    expect(metadata.token_endpoint_auth_method).toBe('none');
    expect(metadata).not.toHaveProperty('token_endpoint_auth_methods_supported');
  });

  it('ChatGPT: a method of its own beside the list is the one that counts', () => {
    const { metadata, rules } = decideDocument(
      chatGptShared.client_id,
      chatGptShared,
      clientsConfig(),
    );
    expect(metadata).toMatchObject({
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'RS256',
    });
    expect(metadata).not.toHaveProperty('token_endpoint_auth_methods_supported');
    expect(rules).toEqual([]);
  });

  it('OpenCode and Codex', () => {
    expect(decideDocument(openCode.client_id, openCode, clientsConfig()).rules).toEqual([]);
  });
});

describe('the remaining rules', () => {
  const minimal = { redirect_uris: ['https://app.test/cb'] };

  it('default-grant-types: off, RFC 7591 §2 gives authorization_code alone', () => {
    const { metadata } = decideRegistration(minimal, withoutRules('default-grant-types'));
    expect(metadata.grant_types).toEqual(['authorization_code']);
  });

  it('auth-method-none-when-absent: off, RFC 7591 §2 gives client_secret_basic', () => {
    const config = withoutRules('auth-method-none-when-absent');
    const { metadata } = decideRegistration(minimal, config);
    expect(metadata.token_endpoint_auth_method).toBe('client_secret_basic');
    const client_id = 'https://app.test/client.json';
    expect(() => decideDocument(client_id, { ...minimal, client_id }, config)).toThrow(
      'token_endpoint_auth_method',
    );
  });

  it('intersect-response-types', () => {
    const body = { ...minimal, response_types: ['code', 'id_token'] };
    const { metadata, rules } = decideRegistration(body, clientsConfig());
    expect(metadata.response_types).toEqual(['code']);
    expect(rules).toContain('intersect-response-types');
    expect(() => decideRegistration(body, withoutRules('intersect-response-types'))).toThrow();
  });

  it('drop-insecure-links', () => {
    const body = { ...minimal, client_uri: 'http://localhost:3000', logo_uri: '' };
    const { metadata, rules } = decideRegistration(body, clientsConfig());
    expect(metadata).not.toHaveProperty('client_uri');
    expect(metadata).not.toHaveProperty('logo_uri');
    expect(rules).toContain('drop-insecure-links');
    expect(() => decideRegistration(body, withoutRules('drop-insecure-links'))).toThrow();
  });

  it('a client that writes everything by the letter needs no rule at all', () => {
    const body = {
      redirect_uris: ['http://127.0.0.1:7777/cb', 'com.example.app:/cb'],
      application_type: 'native',
      grant_types: codeAndRefresh,
      response_types: ['code'],
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [publicKey()] },
    };
    expect(decideRegistration(body, strict).rules).toEqual([]);
  });
});
