import ipaddr from 'ipaddr.js';

/**
 * The IANA special-purpose registries of both families (RFC 6890 and its updates), multicast and the
 * old site-local range. Most specific first, so that the reason names the narrowest range.
 */
const specialRanges = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '255.255.255.255/32',
  '240.0.0.0/4',
  '::/128',
  '::1/128',
  '::ffff:0:0/96', // IPv4-mapped
  '64:ff9b::/96', // NAT64: the address inside may be internal
  '64:ff9b:1::/48',
  '100::/64',
  '2001::/23', // Teredo, ORCHID, benchmarking …
  '2001:db8::/32',
  '2002::/16', // 6to4
  '2620:4f:8000::/48',
  '3fff::/20',
  '5f00::/16',
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
];

/** What `cimd.allow_private_addresses` lifts, and nothing else: never link-local or cloud metadata. */
const privateRanges = [
  '10.0.0.0/8',
  '127.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '::1/128',
  'fc00::/7',
];

/** All of IPv6 that is given out as global unicast; what lies outside has no public host. */
const globalUnicast = '2000::/3';

/**
 * Why an address must not be contacted on behalf of a stranger, or undefined when it may be.
 *
 * @param address textual IPv4 or IPv6 address as a resolver returns it
 * @param policy `public`: special-use addresses are refused; `private-too`: loopback and private networks pass
 * @returns the range that it is in, or `not an address`
 */
export function refusedRange(
  address: string,
  policy: 'public' | 'private-too',
): string | undefined {
  if (!ipaddr.isValid(address)) return 'not an address';
  const parsed = ipaddr.parse(address);
  if (policy === 'private-too' && privateRanges.some((range) => within(parsed, range))) return;
  const special = specialRanges.find((range) => within(parsed, range));
  if (special) return special;
  if (parsed.kind() === 'ipv6' && !within(parsed, globalUnicast)) return `outside ${globalUnicast}`;
  return undefined;
}

function within(address: ipaddr.IPv4 | ipaddr.IPv6, range: string): boolean {
  const [network, bits] = ipaddr.parseCIDR(range);
  return address.kind() === network.kind() && address.match(network, bits);
}
