import { describe, expect, test } from 'vitest';
import { type ExchangeParameters, presentedTokens } from './token-exchange-types.ts';

const type = (name: string) => `urn:ietf:params:oauth:token-type:${name}`;
const access = type('access_token');
const good = { subject_token: 's', subject_token_type: access };

describe('what may be exchanged for what (RFC 8693 §2.1)', () => {
  test.each<[string, ExchangeParameters, object]>([
    ['a subject alone', good, { subjectToken: 's' }],
    ['access_token asked for', { ...good, requested_token_type: access }, { subjectToken: 's' }],
    ['empty parameters', { ...good, actor_token: '', actor_token_type: '' }, { subjectToken: 's' }],
    [
      'an actor with its type',
      { ...good, actor_token: 'a', actor_token_type: access },
      { subjectToken: 's', actorToken: 'a' },
    ],
  ])('%s is accepted', (_what, sent, presented) => {
    expect(presentedTokens(sent)).toEqual(presented);
  });

  test.each<[string, ExchangeParameters]>([
    ['no subject_token', { subject_token_type: access }],
    ['an empty subject_token', { ...good, subject_token: '' }],
    ['no subject_token_type', { subject_token: 's' }],
    ...['id_token', 'jwt', 'refresh_token', 'saml1', 'saml2', 'id-jag', 'ACCESS_TOKEN'].map(
      (name): [string, ExchangeParameters] => [
        `a subject of type ${name}`,
        { ...good, subject_token_type: type(name) },
      ],
    ),
    ...['id_token', 'jwt', 'refresh_token', 'saml1', 'saml2', 'nonsense'].map(
      (name): [string, ExchangeParameters] => [
        `${name} asked for (TX04)`,
        { ...good, requested_token_type: type(name) },
      ],
    ),
    ['a short name for the type', { ...good, subject_token_type: 'access_token' }],
    ['an actor without its type', { ...good, actor_token: 'a' }],
    ['a type without its actor', { ...good, actor_token_type: access }],
    ['an actor of another type', { ...good, actor_token: 'a', actor_token_type: type('jwt') }],
  ])('%s MUST be refused with invalid_request (§2.2.2)', (_what, sent) => {
    expect(() => presentedTokens(sent)).toThrow(
      expect.objectContaining({ error: 'invalid_request' }),
    );
  });
});
