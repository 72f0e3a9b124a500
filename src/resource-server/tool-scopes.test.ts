import { describe, expect, it } from 'vitest';
import { effectiveScopes, neededScopes } from './tool-scopes.ts';

const tools = new Map([
  ['a', ['read']],
  ['b', ['read', 'write']],
]);
const call = (name: unknown) => ({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name } });

describe('the scopes that a JSON-RPC body needs', () => {
  it.each([
    ['a tool with one scope', call('a'), ['read']],
    ['a tool with several scopes: all of them', call('b'), ['read', 'write']],
    ['a tool without entry: none', call('c'), []],
    ['a call sent as a notification', { ...call('a'), id: undefined }, ['read']],
    ['a batch: the union', [call('a'), { method: 'ping' }, call('b')], ['read', 'write']],
    ['another method', { method: 'tools/list' }, []],
    ['a tool name that is no string', call(['a']), []],
    ['a name inherited from Object', call('constructor'), []],
    ['params by position', { method: 'tools/call', params: ['a'] }, []],
    ['nothing', undefined, []],
    ['null, numbers and text', [null, 1, 'tools/call'], []],
  ])('%s', (_, body, scopes) => {
    expect(neededScopes(body, tools)).toEqual(scopes);
  });
});

describe('the scope hierarchy', () => {
  const implies = new Map([
    ['admin', ['write']],
    ['write', ['read']],
  ]);

  it('is followed transitively', () => {
    expect(effectiveScopes(['admin'], implies)).toEqual(['admin', 'write', 'read']);
  });

  it('does not reach upwards', () => {
    expect(effectiveScopes(['read'], implies)).toEqual(['read']);
  });

  it('ends on a cycle', () => {
    const cycle = new Map([
      ['a', ['b']],
      ['b', ['a']],
    ]);
    expect(effectiveScopes(['a'], cycle)).toEqual(['a', 'b']);
  });
});
