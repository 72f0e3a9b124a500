import { createHash } from 'node:crypto';

/**
 * The form of an event that is hashed, version 1: a JSON array of these members in this order, written as
 * RFC 8785 says (members of objects sorted by UTF-16 code units, no white space). docs/audit.md explains it
 * to those who check an exported log themselves: it can only be followed by another version, never changed.
 */
export interface CanonicalEvent {
  /** The number of the row. */
  number: bigint;
  /** Microseconds since 1970. */
  micros: bigint;
  type: string;
  actorKind: string;
  actorId: string | null;
  clientId: string | null;
  userId: string | null;
  resource: string | null;
  ip: string | null;
  userAgent: string | null;
  traceId: string | null;
  detail: unknown;
}

const version = 'authserver audit event 1';

/** The canonical text of an event. */
export function canonicalText(event: CanonicalEvent): string {
  const { number, micros, type, actorKind, actorId, clientId, userId, resource } = event;
  const subjects = [type, actorKind, actorId, clientId, userId, resource];
  const origin = [event.ip, event.userAgent, event.traceId];
  return canonicalJson([version, `${number}`, `${micros}`, ...subjects, ...origin, event.detail]);
}

/** SHA-256 of the canonical text. */
export function digestOf(event: CanonicalEvent): Buffer {
  return createHash('sha256').update(canonicalText(event)).digest();
}

/** RFC 8785, for what JSON can hold. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
}

/** One sealed event, as a block holds it. */
export interface Entry {
  number: bigint;
  micros: bigint;
  digest: Buffer;
}

const entryBytes = 48;

export function packEntries(entries: readonly Entry[]): Buffer {
  const packed = Buffer.alloc(entries.length * entryBytes);
  entries.forEach(({ number, micros, digest }, index) => {
    const at = index * entryBytes;
    packed.writeBigInt64BE(number, at);
    packed.writeBigInt64BE(micros, at + 8);
    digest.copy(packed, at + 16);
  });
  return packed;
}

/** What {@link packEntries} made; of a text that is no whole number of entries, those that are whole. */
export function unpackEntries(bytes: Uint8Array): Entry[] {
  const packed = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: Math.floor(packed.length / entryBytes) }, (_, index) => {
    const at = index * entryBytes;
    return {
      number: packed.readBigInt64BE(at),
      micros: packed.readBigInt64BE(at + 8),
      digest: packed.subarray(at + 16, at + entryBytes),
    };
  });
}

/** A block without its hash. */
export interface BlockContent {
  number: bigint;
  /** Place in the chain of its first event. */
  firstSeq: bigint;
  lastTxn: bigint;
  lastId: bigint;
  sealedAt: Date;
  previousHash: Uint8Array;
  entries: Uint8Array;
}

/** The hash of a block, which the next one builds on. */
export function blockHash(block: BlockContent): Buffer {
  const { number, firstSeq, lastTxn, lastId, sealedAt, previousHash, entries } = block;
  const head = ['authserver audit block 1', number, firstSeq, lastTxn, lastId, sealedAt.getTime()];
  return createHash('sha256')
    .update(`${head.join('\n')}\n`)
    .update(previousHash)
    .update(entries)
    .digest();
}

/** What the first block builds on. */
export const genesis = Buffer.alloc(32);
