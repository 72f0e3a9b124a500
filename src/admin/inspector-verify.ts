import { compactVerify, errors } from 'jose';
import type { z } from 'zod';
import type { Keys } from '../keys/index.ts';
import type { inspectionCheck } from './contract/inspector.ts';
import { timeInWords } from './inspector-claims.ts';
import { type Members, type Pasted, withoutEnd } from './inspector-input.ts';
import { type Reason, reason } from './inspector-policy.ts';

export type Check = z.input<typeof inspectionCheck>;

interface Expected {
  keys: Pick<Keys, 'verificationKey' | 'list'>;
  issuer: string;
  now: Date;
}

/** What a JWT says of itself, judged as a resource server has to (RFC 9068 §4). */
export async function judgeJwt(
  { token, header, claims }: Extract<Pasted, { is: 'jwt' }>,
  expected: Expected,
): Promise<{ checks: Check[]; reasons: Reason[]; isOurs: boolean }> {
  const isOurs = claims.iss === expected.issuer;
  const judged = [
    isOurs ? await signature(token, header, expected) : foreignSignature(),
    typ(header, isOurs),
    issuer(claims, expected),
    ...lifetime(claims, expected.now),
  ];
  return {
    isOurs,
    checks: [check('shape', true, 'It is a JWT.'), ...judged.map((one) => one.check)],
    reasons: judged.flatMap((one) => one.reason ?? []),
  };
}

interface Judged {
  check: Check;
  reason?: Reason;
}

async function signature(
  token: string,
  { alg, kid }: Members,
  { keys }: Expected,
): Promise<Judged> {
  if (alg === 'none')
    return failed(
      'signature',
      'bad_signature',
      'It is not signed (`alg` is `none`): anybody can write such a token.',
    );
  if (!isExact(token)) {
    const detail = 'It is not spelled as it was issued: its base64url has bits that mean nothing.';
    return failed('signature', 'bad_signature', detail);
  }
  try {
    await compactVerify(token, keys.verificationKey);
    return { check: check('signature', true, `Signed by our key ${String(kid ?? '')}.`.trim()) };
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) {
      return failed(
        'signature',
        'unknown_key',
        'It names no key that is published now. Either it is old and its key was removed, or it is not from here.',
      );
    }
    const detail = 'Its signature does not fit: it was changed, or is not from here.';
    return failed('signature', 'bad_signature', detail);
  }
}

/** One token has one spelling; decoders forgive others. */
function isExact(token: string): boolean {
  return token
    .split('.')
    .every((part) => Buffer.from(part, 'base64url').toString('base64url') === part);
}

function foreignSignature(): Judged {
  const detail = 'Not asked: the keys of other issuers are not fetched.';
  return { check: check('signature', null, detail) };
}

function typ({ typ: value }: Members, isOurs: boolean): Judged {
  const type = typeof value === 'string' ? value.toLowerCase().replace(/^application\//, '') : '';
  if (type === 'at+jwt')
    return { check: check('typ', true, '`at+jwt`: an access token (RFC 9068).') };
  const shown = type === '' ? 'There is no `typ`' : '`typ` is another than `at+jwt`';
  const detail = `${shown}, so that no resource server takes it for an access token of this server.`;
  return isOurs ? failed('typ', 'other_type', detail) : { check: check('typ', null, detail) };
}

function issuer({ iss }: Members, expected: Expected): Judged {
  if (iss === expected.issuer) return { check: check('issuer', true, '`iss` is this server.') };
  if (typeof iss !== 'string')
    return failed('issuer', 'other_issuer', 'It does not name an issuer (`iss`).');
  const nearly =
    withoutEnd(iss, '/').toLowerCase() === withoutEnd(expected.issuer, '/').toLowerCase();
  const detail = nearly
    ? `\`iss\` differs from ${expected.issuer} in case or a slash at its end; it is compared byte for byte.`
    : `\`iss\` is another issuer than ${expected.issuer}.`;
  return failed('issuer', 'other_issuer', detail);
}

function lifetime({ exp, nbf }: Members, now: Date): Judged[] {
  const judged: Judged[] = [];
  const seconds = now.getTime() / 1000;
  if (typeof exp !== 'number') {
    judged.push(failed('expiry', 'expired', 'It does not say when it expires (`exp`).'));
  } else if (exp <= seconds) {
    const at = new Date(exp * 1000);
    const detail = `It expired ${timeInWords(exp, now) ?? 'at no time that there is'}.`;
    const why = reason('expired', detail, Number.isNaN(at.getTime()) ? null : at);
    judged.push({ check: check('expiry', false, detail), reason: why });
  } else {
    judged.push({
      check: check('expiry', true, `It expires ${timeInWords(exp, now) ?? 'never'}.`),
    });
  }
  if (typeof nbf === 'number' && nbf > seconds) {
    const detail = `It is good from ${timeInWords(nbf, now) ?? 'a time that there is not'}.`;
    judged.push(failed('not_before', 'not_yet_valid', detail));
  }
  return judged;
}

function failed(id: Check['id'], why: Reason['id'], detail: string): Judged {
  return { check: check(id, false, detail), reason: reason(why, detail) };
}

export function check(id: Check['id'], passed: boolean | null, detail: string): Check {
  return { id, passed, detail };
}
