import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { addressBucket, clientAddress, parseTrustedProxies } from './address.ts';

function from(peer: string | undefined, forwarded?: string) {
  const socket = new Socket();
  Object.defineProperty(socket, 'remoteAddress', { value: peer });
  return { socket, headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded } };
}

describe('the client’s address', () => {
  const trusted = parseTrustedProxies([
    '10.0.0.0/8',
    '127.0.0.1',
    '2001:db8:f::/48',
    '::ffff:192.0.2.0/120',
  ]);

  it.each<[string, string | undefined, string | undefined, string]>([
    ['without a proxy it is the peer', '203.0.113.9', undefined, '203.0.113.9'],
    [
      'a forged header of an untrusted peer is ignored',
      '203.0.113.9',
      '198.51.100.1',
      '203.0.113.9',
    ],
    [
      'behind a trusted proxy it is what that proxy saw',
      '10.0.0.2',
      '198.51.100.1',
      '198.51.100.1',
    ],
    [
      'what a client claims left of it is ignored',
      '10.0.0.2',
      '1.2.3.4, 198.51.100.1',
      '198.51.100.1',
    ],
    [
      'a chain of trusted proxies is followed',
      '127.0.0.1',
      '1.2.3.4, 198.51.100.1, 10.9.9.9, 10.0.0.3',
      '198.51.100.1',
    ],
    ['an IPv4-mapped peer is an IPv4 address', '::ffff:10.0.0.2', '198.51.100.1', '198.51.100.1'],
    ['a mapped range trusts IPv4 addresses', '192.0.2.77', '198.51.100.1', '198.51.100.1'],
    ['an IPv6 proxy and client', '2001:db8:f::1', '2001:DB8:0:0::5', '2001:db8::5'],
    ['ports of forwarded addresses are cut off', '10.0.0.2', '198.51.100.1:4711', '198.51.100.1'],
    ['and of bracketed IPv6', '10.0.0.2', '[2001:db8::5]:4711', '2001:db8::5'],
    ['nonsense stops at the proxy', '10.0.0.2', 'unknown', '10.0.0.2'],
    ['odd spellings of numbers are nonsense', '10.0.0.2', '0x7f.1', '10.0.0.2'],
    ['an empty header stops at the proxy', '10.0.0.2', '', '10.0.0.2'],
    ['only proxies: the leftmost of them', '10.0.0.2', '10.0.0.7, 10.0.0.8', '10.0.0.7'],
    ['a zone is no part of the address', 'fe80::1%eth0', undefined, 'fe80::1'],
    ['a closed socket has none', undefined, '198.51.100.1', ''],
  ])('%s', (_title, peer, forwarded, expected) => {
    expect(clientAddress(from(peer, forwarded), trusted)).toBe(expected);
  });

  it('trusts nobody by default', () => {
    expect(clientAddress(from('127.0.0.1', '198.51.100.1'), [])).toBe('127.0.0.1');
  });

  it('a wrong entry in the list is named at start', () => {
    expect(() => parseTrustedProxies(['10.0.0.0/8', 'proxy.local'])).toThrow('proxy.local');
  });
});

describe('the bucket of an address', () => {
  it('is the same for every spelling of an address and every address of an IPv6 /64', () => {
    const spellings = [
      '2001:db8:1:2::1',
      '2001:0DB8:0001:0002:ffff::',
      '2001:db8:1:2:a:b:c:d%eth0',
    ];
    expect(new Set(spellings.map(addressBucket))).toEqual(new Set(['2001:db8:1:2::/64']));
    expect(addressBucket('2001:db8:1:3::1')).not.toBe('2001:db8:1:2::/64');
  });

  it('is the address for IPv4, mapped or not', () => {
    expect([addressBucket('192.0.2.1'), addressBucket('::ffff:192.0.2.1')]).toEqual([
      '192.0.2.1',
      '192.0.2.1',
    ]);
  });

  it('is shared by everything that is no address', () => {
    expect([addressBucket(''), addressBucket('x'.repeat(9_999))]).toEqual(['unknown', 'unknown']);
  });
});
