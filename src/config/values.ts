import { isIP } from 'node:net';
import { z } from 'zod';
import { durationPattern, parseDuration } from './duration.ts';
import { isLoopbackHost } from './loopback.ts';

const tenYears = '3650d';

/** Limits of a duration, themselves written as durations. */
interface DurationLimits {
  min?: string;
  max?: string;
}

/** Text such as `15m` in the file, whole seconds in the configuration. */
export function duration(description: string, { min = '1s', max = tenYears }: DurationLimits = {}) {
  const atLeast = parseDuration(min) ?? 0;
  const atMost = parseDuration(max) ?? 0;
  return z
    .string()
    .regex(durationPattern)
    .describe(description)
    .transform((text) => parseDuration(text) ?? Number.NaN)
    .refine((seconds) => seconds >= atLeast && seconds <= atMost, {
      error: `must lie between ${min} and ${max}`,
      params: { fix: `write a duration from ${min} to ${max}` },
    });
}

/** Text that is masked wherever the configuration is shown. */
export function secret(description: string, minLength = 1) {
  return z.string().min(minLength).meta({ description, writeOnly: true });
}

export function text(description: string) {
  return z.string().min(1).describe(description);
}

export function flag(description: string) {
  return z.boolean().describe(description);
}

export function count(description: string, min: number, max: number) {
  return z.int().min(min).max(max).describe(description);
}

export function oneOf<const Values extends readonly [string, ...string[]]>(
  description: string,
  values: Values,
) {
  return z.enum(values).describe(description);
}

/** Text that must satisfy a test; `problem` completes "the key …", `fix` is an instruction. */
export function checked(
  description: string,
  test: (value: string) => boolean,
  problem: string,
  fix: string,
) {
  return text(description).refine(test, { error: problem, params: { fix } });
}

/** Where to listen: `host:port`, or `:port` for every address. */
export function address(description: string) {
  return checked(
    description,
    (value) => parseAddress(value) !== undefined,
    'is not host:port',
    'write it as 127.0.0.1:9000, [::1]:9000 or :9000',
  );
}

/**
 * Splits a listen address.
 *
 * @returns the port (0 asks for a free one) and the host without brackets, undefined host meaning every
 * address; undefined when the text is no address
 */
export function parseAddress(
  value: string,
): { host: string | undefined; port: number } | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]*)):([0-9]{1,5})$/.exec(value);
  const port = Number(match?.[3]);
  if (!match || port > 65_535) return undefined;
  return { host: match[1] || match[2] || undefined, port };
}

/** https, or http to this computer; no userinfo, no fragment. */
export function secureUrl(description: string) {
  return checked(
    description,
    (value) => isWebUrl(value) && (value.startsWith('https:') || hostIsLoopback(value)),
    'is not an https URL',
    'write an https:// URL (http:// only for this computer) without user name and fragment',
  );
}

/** http or https; no userinfo, no fragment. */
export function webUrl(description: string) {
  return checked(
    description,
    isWebUrl,
    'is not an http or https URL',
    'write an absolute http:// or https:// URL without user name and fragment',
  );
}

function isWebUrl(value: string): boolean {
  if (!/^https?:\/\/[\x21-\x7e]+$/.test(value) || !URL.canParse(value)) return false;
  const { username, password } = new URL(value);
  return username === '' && password === '' && !value.includes('#');
}

function hostIsLoopback(value: string): boolean {
  return isLoopbackHost(new URL(value).hostname);
}

/** A host name or `*.` and a host name, without a port; compared in lower case. */
export function hostPattern() {
  return checked(
    'A host',
    (value) => /^(?:\*\.)?(?:[a-z0-9_-]+\.)*[a-z0-9_-]+$/i.test(value),
    'is not a host name',
    'write a host such as example.com or *.example.com, without scheme, port and path',
  ).transform((value) => value.toLowerCase());
}

/** A value as a problem quotes it, without a password that was written into a URL. */
export function quote(value: unknown): string {
  return JSON.stringify(value)
    .replace(/\/\/[^/"]*@/, '//***@')
    .slice(0, 100);
}

/** An address or a CIDR range of either family. */
export function addressRange() {
  return checked(
    'An address or range',
    isAddressRange,
    'is not an IP address or CIDR range',
    'write 10.0.0.0/8, 192.0.2.1 or fd00::/8',
  );
}

function isAddressRange(value: string): boolean {
  const [ip = '', bits, ...rest] = value.split('/');
  const family = isIP(ip);
  if (family === 0 || rest.length > 0) return false;
  if (bits === undefined) return true;
  return /^[0-9]{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128);
}

/** A short name used in URLs. */
export function slug(description: string) {
  return checked(
    description,
    (value) => /^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/.test(value),
    'is not a slug',
    'use 1 to 64 lower-case letters, digits and inner hyphens',
  );
}

/** 32 bytes in base64 (with or without padding, URL-safe or not): 43 characters, nothing else. */
export function decodeKey(value: string): Buffer | undefined {
  return /^[A-Za-z0-9+/_-]{43}=?$/.test(value) ? Buffer.from(value, 'base64') : undefined;
}
