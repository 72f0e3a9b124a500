const hidden = '[redacted]';
const secretMember =
  /(?:authorization|cookie|token|secret|credential|password|assertion|verifier|proof|api_?key|private_?key|csrf)s?$/i;
const secretNames = new Set(['code', 'dpop', 'user_code', 'device_code', 'usercode', 'devicecode']);

const secretTexts: [pattern: RegExp, replacement: string][] = [
  [/\beyJ[\w-]{5,}\.[\w-]*\.[\w-]*/g, hidden], // a JWT
  [/\b[a-z][a-z0-9]{0,15}_(?:oat|pat)_[\w-]+/g, hidden], // a prefixed token
  [/(wsc_[0-9a-z]{4,20})(?:\.|%2e)[\w-]+/gi, `$1.${hidden}`], // a workspace credential; its id is no secret
  [/\b(Bearer|Basic|DPoP) [\w.~+/=-]{8,}/g, `$1 ${hidden}`],
  [
    /([?&](?:code|\w{0,40}token|\w{0,40}secret|\w{0,40}assertion|code_verifier|password|\w{1,10}_code)=)[^&\s"\\]+/gi,
    `$1${hidden}`,
  ],
];

/** Replaces members whose name says that they hold a credential, at any depth. */
export function redactMembers(line: Record<string, unknown>): Record<string, unknown> {
  return redactObject(line, 0);
}

function redactObject(members: object, depth: number): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(members).map(([name, value]) => [name, redact(name, value, depth)]),
  );
}

function redact(name: string, value: unknown, depth: number): unknown {
  if (typeof value !== 'string' && (typeof value !== 'object' || value === null)) return value;
  if (secretMember.test(name) || secretNames.has(name.toLowerCase())) return hidden;
  if (typeof value === 'string' || value instanceof Error || value instanceof Date) return value;
  if (depth > 6) return '[too deep]';
  if (Array.isArray(value)) return value.map((item) => redact('', item, depth + 1));
  return redactObject(value, depth + 1);
}

/** Cuts what looks like a credential out of a finished log line. */
export function scrub(line: string): string {
  return secretTexts.reduce((text, [pattern, by]) => text.replace(pattern, by), line);
}
