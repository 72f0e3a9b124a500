import { describe, expect, it } from 'vitest';
import { createLogger, type LoggingOptions, loggedPath } from './logger.ts';

function logged(line: object, message = 'm', options: LoggingOptions = {}): string {
  const parts: string[] = [];
  createLogger(options, { write: (part) => parts.push(part) }).info(line, message);
  return parts.join('');
}

describe('the logger', () => {
  it.each([
    'authorization',
    'cookie',
    'set-cookie',
    'code',
    'code_verifier',
    'access_token',
    'refreshToken',
    'client_secret',
    'client_assertion',
    'password',
    'DPoP',
    'registration_access_token',
    'api_key',
    'user_code',
    'csrf',
    'id_tokens',
  ])('never writes the value of a member named %s, at any depth', (name) => {
    expect(logged({ [name]: 'tell-tale' })).not.toContain('tell-tale');
    expect(logged({ a: [{ b: { [name]: 'tell-tale' } }] })).not.toContain('tell-tale');
    expect(logged({ a: { [name]: ['tell-tale'] } })).not.toContain('tell-tale');
  });

  it.each([
    ['a JWT', 'got eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ1In0.c2lnbmF0dXJl here'],
    ['an opaque token', 'got as_oat_c2lnbmF0dXJl_x here'],
    ['a workspace credential', 'got wsc_7hk2m9qpx4tz.c2lnbmF0dXJl here'],
    ['a workspace credential in a URL', 'GET /x?a=wsc_7hk2m9qpx4tz%2Ec2lnbmF0dXJl&b=1'],
    ['a bearer header', 'got Bearer c2lnbmF0dXJl here'],
    ['a code in a URL', 'GET https://x.example/cb?state=1&code=c2lnbmF0dXJl'],
    ['a token in a URL', 'GET https://x.example/cb?access_token=c2lnbmF0dXJl&x=1'],
  ])('cuts %s out of messages, members and errors', (_what, text) => {
    expect(logged({}, text)).not.toContain('c2lnbmF0dXJl');
    expect(logged({ url: text })).not.toContain('c2lnbmF0dXJl');
    expect(logged({ err: new Error(text, { cause: new Error(text) }) })).not.toContain(
      'c2lnbmF0dXJl',
    );
  });

  it('keeps what operators need: token types, counts, error codes, causes and the stack', () => {
    const err = Object.assign(new Error('duplicate key', { cause: new Error('row 5') }), {
      code: '23505',
    });
    const line = JSON.parse(logged({ token_type: 'DPoP', tokens: 5, client_id: 'c', err }));
    expect(line).toMatchObject({ token_type: 'DPoP', tokens: 5, client_id: 'c', msg: 'm' });
    expect(line.err).toMatchObject({ type: 'Error', message: 'duplicate key', code: '23505' });
    expect(JSON.stringify(line.err)).toContain('row 5');
    expect(line.err.stack).toContain('logger.test.ts');
  });

  it('writes text for a terminal when asked', () => {
    const text = logged({ path: '/x', status: 200 }, 'request', { format: 'pretty' });
    expect(text).toMatch(/^\d\d:\d\d:\d\d INFO {2}request path=\/x status=200\n$/);
  });

  it('keeps quiet below its level', () => {
    expect(logged({}, 'm', { level: 'warn' })).toBe('');
  });
});

describe('a logged path', () => {
  it('has no query and at most 200 characters', () => {
    expect(loggedPath('/oauth/authorize?code=1')).toBe('/oauth/authorize');
    expect(loggedPath(`/${'a/'.repeat(500)}`)).toHaveLength(200);
  });

  it('keeps identifiers: well-known names and uuids', () => {
    for (const path of [
      '/.well-known/oauth-authorization-server/tenant',
      '/api/v2/w/0f8fad5b-d9cb-469f-a165-70867728950e/mcp-servers',
    ]) {
      expect(loggedPath(path)).toBe(path);
    }
  });
});
