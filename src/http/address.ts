import type { IncomingMessage } from 'node:http';
import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Range = [Address, number];

/** Reverse proxies whose `X-Forwarded-For` is believed. */
export type TrustedProxies = readonly Range[];

/**
 * Reads `server.trusted_proxies`.
 *
 * @param entries addresses and CIDR ranges of both families
 * @throws TypeError naming the entry that is neither
 */
export function parseTrustedProxies(entries: readonly string[]): TrustedProxies {
  return entries.map((entry) => {
    const address = parseAddress(entry);
    if (address) return [address, address.kind() === 'ipv4' ? 32 : 128];
    if (ipaddr.isValidCIDR(entry)) return unmapRange(ipaddr.parseCIDR(entry));
    throw new TypeError(`trusted proxy ${entry} is not an address or a CIDR range`);
  });
}

function unmapRange([address, bits]: Range): Range {
  if (address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() && bits >= 96) {
    return [address.toIPv4Address(), bits - 96];
  }
  return [address, bits];
}

/**
 * The address that a request came from: the peer, or, while that is a trusted proxy, the rightmost
 * address in `X-Forwarded-For` that is not. What stands to the left of it is the client's own claim
 * and is never read (BF03: forged headers must not make new rate-limit buckets).
 *
 * @returns the normalised address; '' when the socket has none
 */
export function clientAddress(
  request: Pick<IncomingMessage, 'socket' | 'headers'>,
  trusted: TrustedProxies,
): string {
  let nearest = parseAddress(request.socket.remoteAddress ?? '');
  const claims = String(request.headers['x-forwarded-for'] ?? '').split(',');
  while (nearest && claims.length > 0 && isTrusted(nearest, trusted)) {
    const claim = parseAddress(withoutPort(claims.pop()?.trim() ?? ''));
    if (!claim) break;
    nearest = claim;
  }
  return nearest ? print(nearest) : '';
}

function isTrusted(address: Address, trusted: TrustedProxies): boolean {
  return trusted.some(([range, bits]) => {
    return range.kind() === address.kind() && address.match(range, bits);
  });
}

function parseAddress(text: string): Address | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text);
  if (!ipaddr.IPv6.isValid(text)) return undefined;
  const address = ipaddr.IPv6.parse(text);
  return address.isIPv4MappedAddress() ? address.toIPv4Address() : address;
}

// Some proxies write `192.0.2.1:5678` and `[2001:db8::1]:5678`.
function withoutPort(text: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d+)?$/.exec(text);
  if (bracketed) return bracketed[1] ?? '';
  return /^[\d.]+:\d+$/.test(text) ? text.slice(0, text.indexOf(':')) : text;
}

function print(address: Address): string {
  return address instanceof ipaddr.IPv6 ? withoutZone(address).toString() : address.toString();
}

function withoutZone(address: ipaddr.IPv6): ipaddr.IPv6 {
  return new ipaddr.IPv6(address.parts);
}

/**
 * What limits are counted by: an IPv4 address, or the /64 of an IPv6 address, since one client owns
 * a whole /64. Any spelling of one address gives one bucket; what is no address shares one.
 */
export function addressBucket(ip: string): string {
  const address = parseAddress(ip);
  if (!address) return 'unknown';
  if (address instanceof ipaddr.IPv4) return address.toString();
  const network = new ipaddr.IPv6([...address.parts.slice(0, 4), 0, 0, 0, 0]);
  return `${network.toString()}/64`;
}
