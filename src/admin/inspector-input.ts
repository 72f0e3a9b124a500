import { decodeProtectedHeader, type JWSHeaderParameters } from 'jose';
import { z } from 'zod';
import { isCheckedSecret, readOpaqueToken, readWorkspaceCredential } from '../tokens/index.ts';

/** JSON as it is shown. */
export type Shown = z.core.util.JSONType;
export type Members = Record<string, Shown>;

/** What was pasted, as far as it can be told without asking anybody. */
export type Pasted =
  | { readonly is: 'claims'; readonly claims: Members }
  | {
      readonly is: 'jwt';
      readonly token: string;
      readonly header: Members;
      readonly claims: Members;
    }
  | { readonly is: 'encrypted'; readonly header: Members }
  | { readonly is: 'opaque' }
  | { readonly is: 'mistyped'; readonly problem: string }
  | { readonly is: 'other' };

const members = z.record(z.string(), z.json());
const jsonDepth = 20;

/** White space, quotes and the name of the header, as they come with what people copy. */
export function withoutWrapping(text: string): string {
  const begun = text
    .trim()
    .replace(/^authorization:\s*/i, '')
    .replace(/^(bearer|dpop)\s+/i, '')
    .replace(/^["'`]+/, '');
  return withoutEnd(begun, '"\'`,').trim();
}

/** Attack: a regular expression for the end of a text begins anew at every place, for seconds (OV05). */
export function withoutEnd(text: string, characters: string): string {
  let end = text.length;
  while (end > 0 && characters.includes(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}

/** Tells what a text is. Does NOT verify it. */
export function readPasted(text: string): Pasted {
  if (text.startsWith('{')) {
    const claims = parseMembers(text);
    return claims
      ? { is: 'claims', claims }
      : mistyped('It begins like JSON but is not an object.');
  }
  if (readOpaqueToken(text) || readWorkspaceCredential(text)) return { is: 'opaque' };
  if (/^(?:[a-z][a-z0-9]*_(?:oat|pat)_|wsc_)/.test(text)) {
    return mistyped(
      'It begins like a token of this server, but its checksum is wrong: a part is missing or was changed.',
    );
  }
  if (
    /^[a-z][a-z0-9]*_/.test(text) &&
    isCheckedSecret(text, text.slice(0, text.lastIndexOf('_') + 1))
  ) {
    return mistyped('It is a key or a link of the administration, not a token.');
  }
  const parts = text.split('.');
  if (parts.length === 5) {
    const header = headerOf(text);
    return header ? { is: 'encrypted', header } : { is: 'other' };
  }
  return parts.length === 3 ? readJwt(text, parts) : { is: 'other' };
}

function readJwt(token: string, [, body = '']: readonly string[]): Pasted {
  const header = headerOf(token);
  const claims = parseMembers(Buffer.from(body, 'base64url').toString('utf8'));
  if (header && claims) return { is: 'jwt', token, header, claims };
  if (!header) return { is: 'other' };
  return mistyped(
    'Its first part is the header of a JWT, but its second part is not JSON: it was cut or changed.',
  );
}

function headerOf(token: string): Members | undefined {
  try {
    const header: JWSHeaderParameters = decodeProtectedHeader(token);
    return members.safeParse(header).data;
  } catch {
    return undefined;
  }
}

function parseMembers(text: string): Members | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    if (depthOf(parsed, 0) > jsonDepth) return undefined;
    return members.safeParse(parsed).data;
  } catch {
    return undefined;
  }
}

/** Stops counting one beyond the limit. */
function depthOf(value: unknown, depth: number): number {
  if (typeof value !== 'object' || value === null || depth > jsonDepth) return depth;
  return Math.max(depth, ...Object.values(value).map((child) => depthOf(child, depth + 1)));
}

function mistyped(problem: string): Pasted {
  return { is: 'mistyped', problem };
}
