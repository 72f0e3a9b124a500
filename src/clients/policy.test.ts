import { describe, expect, it } from 'vitest';
import { OAuthError } from '../oauth/index.ts';
import { authMethodFor } from './authentication.ts';
import { clientsConfig, publicKey } from './clients.testing.ts';
import { decideDocument, decidePreregistered, decideRegistration } from './policy.ts';

const good = { redirect_uris: ['https://app.test/cb'] };
const register = (body: unknown, changes = {}) => decideRegistration(body, clientsConfig(changes));

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof OAuthError) return error.error;
    throw error;
  }
  return 'accepted';
}

describe('DC03: redirect URIs of a registration', () => {
  it.each([
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    '\tjavascript:alert(1)',
    'data:text/html,x',
    'vbscript:x',
    'file:///etc/passwd',
    'blob:x',
    'about:blank',
    'http://app.test/cb',
    'http://10.0.0.1/cb',
    'http://localhost.evil.test/cb',
    'https://app.test/cb#frag',
    'https://user@app.test/cb',
    'https://app.test@evil.test/cb',
    'https://*.app.test/cb',
    'https://app.test\\@evil.test/cb',
    'https://app.test/a/../cb',
    '/cb',
    '//evil.test/cb',
    '',
    `https://app.test/${'a'.repeat(3000)}`,
    'https://app.test/\u0000',
    'https://аpp.test/cb',
    'myapp://cb',
  ])('MUST be refused: %s', (uri) => {
    expect(codeOf(() => register({ redirect_uris: ['https://app.test/cb', uri] }))).toBe(
      'invalid_redirect_uri',
    );
  });

  it.each([
    ['none', []],
    ['not a list', 'https://app.test/cb'],
    ['not texts', [1]],
    ['too many', Array.from({ length: 21 }, (_, index) => `https://app.test/${index}`)],
  ])('%s are refused', (_name, redirect_uris) => {
    expect(codeOf(() => register({ redirect_uris }))).toBe('invalid_redirect_uri');
  });

  it('https to this computer cannot be mixed with what makes a client native', () => {
    const uris = ['https://localhost:3000/cb', 'http://127.0.0.1:3000/cb'];
    expect(codeOf(() => register({ redirect_uris: uris }))).toBe('invalid_redirect_uri');
    const alone = register({ redirect_uris: uris.slice(0, 1), application_type: 'native' });
    expect(alone.metadata.application_type).toBe('web');
  });
});

describe('DC05: members that are not a client’s to set', () => {
  it('are ignored', () => {
    const body: unknown = JSON.parse(
      `{"redirect_uris":["https://app.test/cb"],"client_id":"mine","admin":true,"is_trusted":true,
        "skip_consent":true,"owner":"me","created_at":1,"client_secret":"mine","resources":["x"],
        "subject_type":"pairwise","id_token_signed_response_alg":"none",
        "__proto__":{"grant_types":["client_credentials"]},"constructor":{"prototype":{"a":1}}}`,
    );
    const { metadata } = register(body);
    expect(Object.keys(metadata).sort()).toEqual([
      'application_type',
      'grant_types',
      'redirect_uris',
      'response_types',
      'token_endpoint_auth_method',
    ]);
    expect(metadata.grant_types).toEqual(['authorization_code', 'refresh_token']);
  });

  it.each([[null], ['text'], [[]], [1], [undefined]])(
    'a body that is no object is refused: %j',
    (body) => {
      expect(codeOf(() => register(body))).toBe('invalid_client_metadata');
    },
  );
});

describe('engine 18: a registered client MUST NOT get machine grants', () => {
  const machine = [
    'client_credentials',
    'urn:ietf:params:oauth:grant-type:jwt-bearer',
    'urn:ietf:params:oauth:grant-type:token-exchange',
  ];

  it.each(machine)('%s is left out beside authorization_code', (grant) => {
    const { metadata } = register({ ...good, grant_types: ['authorization_code', grant] });
    expect(metadata.grant_types).toEqual(['authorization_code']);
  });

  it.each(machine)('%s alone is refused', (grant) => {
    const body = {
      ...good,
      grant_types: [grant],
      response_types: [],
      token_endpoint_auth_method: 'client_secret_basic',
    };
    expect(codeOf(() => register(body))).toBe('invalid_client_metadata');
  });

  const grantsOfDocument = (grant: string, config = clientsConfig()) => {
    const client_id = 'https://app.test/client.json';
    const document = { ...good, client_id, grant_types: ['authorization_code', grant] };
    return decideDocument(client_id, document, config).metadata.grant_types;
  };

  it.each(['client_credentials', 'urn:ietf:params:oauth:grant-type:token-exchange'])(
    '%s is not for metadata documents either',
    (grant) => {
      expect(grantsOfDocument(grant)).toEqual(['authorization_code']);
    },
  );

  it('jwt-bearer is for metadata documents, public ones too, unless xaa is off (EMA §5)', () => {
    const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
    expect(grantsOfDocument(jwtBearer)).toEqual(['authorization_code', jwtBearer]);
    const off = clientsConfig({ xaa: { enabled: false } });
    expect(grantsOfDocument(jwtBearer, off)).toEqual(['authorization_code']);
  });

  it('device_code is kept only with dcr.allow_device', () => {
    const device = 'urn:ietf:params:oauth:grant-type:device_code';
    const body = { ...good, grant_types: ['authorization_code', device] };
    expect(register(body).metadata.grant_types).not.toContain(device);
    const dcr = { ...clientsConfig().dcr, allow_device: true };
    expect(register(body, { dcr }).metadata.grant_types).toContain(device);
    expect(register(body, { dcr, device: { enabled: false } }).metadata.grant_types).not.toContain(
      device,
    );
  });

  it('an explicit list is obeyed: without refresh_token there is none', () => {
    const { metadata } = register({ ...good, grant_types: ['authorization_code'] });
    expect(metadata.grant_types).toEqual(['authorization_code']);
  });

  it('refresh_token alone is refused', () => {
    expect(codeOf(() => register({ ...good, grant_types: ['refresh_token'] }))).toBe(
      'invalid_client_metadata',
    );
  });

  it('the implicit response types are not for anyone', () => {
    expect(codeOf(() => register({ ...good, response_types: ['token'] }))).toBe(
      'invalid_client_metadata',
    );
  });
});

describe('client authentication', () => {
  it.each(['client_secret_jwt', 'tls_client_auth', 'nonsense'])('%s is refused', (method) => {
    expect(codeOf(() => register({ ...good, token_endpoint_auth_method: method }))).toBe(
      'invalid_client_metadata',
    );
  });

  it('private_key_jwt needs keys, in one place only', () => {
    const body = { ...good, token_endpoint_auth_method: 'private_key_jwt' };
    const jwks = { keys: [publicKey()] };
    const jwks_uri = 'https://app.test/jwks.json';
    expect(codeOf(() => register(body))).toBe('invalid_client_metadata');
    expect(codeOf(() => register({ ...body, jwks, jwks_uri }))).toBe('invalid_client_metadata');
    expect(codeOf(() => register({ ...body, jwks }))).toBe('accepted');
    expect(codeOf(() => register({ ...body, jwks_uri }))).toBe('accepted');
  });

  it('an algorithm for assertions that is not ours is refused, HMAC above all', () => {
    const body = {
      ...good,
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [publicKey()] },
    };
    const withAlg = (token_endpoint_auth_signing_alg: string) =>
      codeOf(() => register({ ...body, token_endpoint_auth_signing_alg }));
    expect(withAlg('HS256')).toBe('invalid_client_metadata');
    expect(withAlg('none')).toBe('invalid_client_metadata');
    expect(withAlg('ES256')).toBe('accepted');
  });

  it('an open choice is decided by the request, and only among what the document lists', () => {
    const open = {
      metadata: {
        ...register(good).metadata,
        token_endpoint_auth_method: 'private_key_jwt' as const,
        token_endpoint_auth_methods_supported: ['private_key_jwt' as const, 'none' as const],
      },
    };
    expect(authMethodFor(open, { signed: true })).toBe('private_key_jwt');
    expect(authMethodFor(open, { signed: false })).toBe('none');
    const fixed = {
      metadata: {
        ...register(good).metadata,
        token_endpoint_auth_method: 'private_key_jwt' as const,
      },
    };
    expect(authMethodFor(fixed, { signed: false })).toBe('private_key_jwt');
  });
});

describe('DC07: addresses in metadata', () => {
  it.each([
    'http://169.254.169.254/',
    'http://app.test/jwks',
    'https://169.254.169.254/',
    'https://127.0.0.1/jwks',
    'https://[::1]/jwks',
    'https://2130706433/jwks',
    'https://user@app.test/jwks',
    'file:///etc/passwd',
    'not a url',
  ])('jwks_uri is refused: %s', (jwks_uri) => {
    expect(codeOf(() => register({ ...good, jwks_uri }))).toBe('invalid_client_metadata');
  });

  it.each([
    { sector_identifier_uri: 'http://169.254.169.254/' },
    { sector_identifier_uri: 'https://app.test/sector.json' },
    { request_uris: ['https://127.0.0.1/'] },
  ])('%j is refused', (members) => {
    expect(codeOf(() => register({ ...good, ...members }))).toBe('invalid_client_metadata');
  });

  it.each(['client_uri', 'logo_uri', 'tos_uri', 'policy_uri'])(
    '%s that would run in a browser is refused',
    (member) => {
      expect(codeOf(() => register({ ...good, [member]: 'javascript:alert(1)' }))).toBe(
        'invalid_client_metadata',
      );
    },
  );
});

describe('names', () => {
  it('lose what reorders or hides text on the consent page', () => {
    const { metadata } = register({ ...good, client_name: ' Cla\u202eedu\u0000\n\u200b  Code ' });
    expect(metadata.client_name).toBe('Cla edu Code');
  });

  it.each([
    ['a lone surrogate', '\ud800'],
    ['not a text', 7],
    ['too long', 'x'.repeat(501)],
  ])('%s is refused', (_name, client_name) => {
    expect(codeOf(() => register({ ...good, client_name }))).toBe('invalid_client_metadata');
  });

  it('nothing with NUL reaches the database', () => {
    expect(codeOf(() => register({ ...good, software_id: 'a\u0000' }))).toBe(
      'invalid_client_metadata',
    );
  });
});

describe('dcr.mode approved_redirects', () => {
  const dcr = {
    ...clientsConfig().dcr,
    mode: 'approved_redirects' as const,
    approved_redirects: [
      'https://app.test/cb',
      'https://any.test',
      'http://127.0.0.1',
      'http://localhost:7000',
      'cursor:',
    ],
  };
  const outcome = (...redirect_uris: string[]) =>
    codeOf(() => register({ redirect_uris }, { dcr }));

  it.each([
    'https://app.test/cb',
    'https://any.test/anything?x=1',
    'http://127.0.0.1:5555/cb',
    'http://localhost:7000/cb',
    'cursor://anysphere.cursor-mcp/oauth/callback',
  ])('%s is approved', (uri) => {
    expect(outcome(uri)).toBe('accepted');
  });

  it.each([
    'https://app.test/other',
    'https://any.test.evil.test/cb',
    'https://any.test:8443/cb',
    'http://localhost:7001/cb',
    'vscode://x/cb',
    'com.example.app:/cb',
  ])('%s is not', (uri) => {
    expect(outcome(uri)).toBe('invalid_redirect_uri');
    expect(outcome('https://app.test/cb', uri)).toBe('invalid_redirect_uri');
  });
});

describe('CI12, CI13: a metadata document', () => {
  const client_id = 'https://app.test/client.json';
  const document = { ...good, client_id };
  const decide = (changes: object) => () =>
    decideDocument(client_id, { ...document, ...changes }, clientsConfig());

  it.each([
    'https://app.test/client.json/',
    'https://APP.test/client.json',
    'https://app.test:443/client.json',
    'https://app.test/client.json?x',
    'https://app.test/Client.json',
    undefined,
    [client_id],
  ])('whose client_id is not its address byte for byte MUST be refused: %s', (other) => {
    expect(decide({ client_id: other })).toThrow('client_id');
  });

  it.each([{ client_secret: 's' }, { client_secret: null }, { client_secret_expires_at: 0 }])(
    'MUST NOT contain a secret: %j',
    (members) => {
      expect(decide(members)).toThrow('client_secret');
    },
  );

  it.each(['client_secret_basic', 'client_secret_post', 'client_secret_jwt'])(
    'MUST NOT use %s',
    (token_endpoint_auth_method) => {
      expect(decide({ token_endpoint_auth_method })).toThrow('token_endpoint_auth_method');
      expect(
        decide({ token_endpoint_auth_methods_supported: [token_endpoint_auth_method] }),
      ).toThrow('token_endpoint_auth_methods_supported');
    },
  );

  it.each([
    { redirect_uris: ['javascript:alert(1)'] },
    { redirect_uris: [] },
    { logo_uri: 'http://app.test/logo.png' },
    { jwks_uri: 'http://app.test/jwks' },
  ])('is refused with %j', (members) => {
    expect(decide(members)).toThrow();
  });

  it.each([[[]], [null], ['text'], [undefined]])('that is no object is refused: %j', (other) => {
    expect(() => decideDocument(client_id, other, clientsConfig())).toThrow('client_id');
  });
});

describe('clients made by operators', () => {
  const decide = (body: object, changes = {}) => decidePreregistered(body, clientsConfig(changes));

  it('may have machine grants, but not without authentication', () => {
    const grant_types = ['client_credentials'];
    const made = decide({ grant_types, token_endpoint_auth_method: 'client_secret_basic' });
    expect(made.metadata).toMatchObject({ grant_types, response_types: [], redirect_uris: [] });
    expect(codeOf(() => decide({ grant_types, token_endpoint_auth_method: 'none' }))).toBe(
      'invalid_client_metadata',
    );
  });

  it('keep a grant that is switched off, which the server then does not serve', () => {
    const grant_types = ['authorization_code', 'client_credentials'];
    const body = { ...good, grant_types, token_endpoint_auth_method: 'client_secret_basic' };
    const off = { client_credentials: { enabled: false } };
    expect(decide(body, off).metadata.grant_types).toEqual(grant_types);
  });

  it('have the scope ceiling that they were given', () => {
    expect(decide({ ...good, scope: 'a b' }).scope).toBe('a b');
  });

  it('obey the redirect rules too', () => {
    expect(codeOf(() => decide({ redirect_uris: ['javascript:alert(1)'] }))).toBe(
      'invalid_redirect_uri',
    );
  });
});
