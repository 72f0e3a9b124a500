import { describe, expect, it } from 'vitest';
import { refusedRange } from './guarded-address.ts';

const special = [
  '0.0.0.0',
  '0.1.2.3',
  '10.0.0.1',
  '100.64.0.1',
  '100.127.255.255',
  '127.0.0.1',
  '127.255.255.255',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.8',
  '192.0.2.1',
  '192.88.99.1',
  '192.168.1.1',
  '198.18.0.1',
  '198.19.255.255',
  '198.51.100.7',
  '203.0.113.7',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::7f00:1',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '::ffff:8.8.8.8',
  '64:ff9b::a9fe:a9fe',
  '64:ff9b:1::1',
  '100::1',
  '2001::1',
  '2001:20::1',
  '2001:db8::1',
  '2002:7f00:1::',
  '3fff::1',
  '5f00::1',
  'fc00::1',
  'fd00::1',
  'fe80::1',
  'fe80::1%eth0',
  'fec0::1',
  'ff02::1',
  '4000::1',
];

describe('refusedRange', () => {
  it.each(special)('a special-use address MUST NOT be contacted: %s', (address) => {
    expect(refusedRange(address, 'public')).toEqual(expect.any(String));
  });

  it.each(['8.8.8.8', '1.1.1.1', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '2a00:1450::1'])(
    'a public address passes: %s',
    (address) => {
      expect(refusedRange(address, 'public')).toBeUndefined();
    },
  );

  it.each(['127.0.0.1', '::1', '10.1.2.3', '172.20.0.1', '192.168.0.9', 'fd00::1'])(
    'allowing private addresses lifts loopback and private networks: %s',
    (address) => {
      expect(refusedRange(address, 'private-too')).toBeUndefined();
    },
  );

  it.each([
    '169.254.169.254',
    'fe80::1',
    '0.0.0.0',
    '::',
    '::ffff:127.0.0.1',
    '100.64.0.1',
    'ff02::1',
  ])(
    'allowing private addresses never lifts link-local, metadata or mapped addresses: %s',
    (address) => {
      expect(refusedRange(address, 'private-too')).toEqual(expect.any(String));
    },
  );

  it.each(['', 'localhost', '127.1.2', '300.1.1.1'])(
    'what is no address is refused: %s',
    (address) => {
      // ipaddr.js reads short forms such as 127.1.2 as the parser of inet_aton would: still loopback.
      expect(refusedRange(address, 'public')).toEqual(expect.any(String));
    },
  );
});
