const longest = 2048;
/** Visible ASCII without the characters that URL parsers disagree on: space, `"`, `<`, `>`, `\`, `^`, backtick, `{`, `|`, `}`. */
const plainUrl = /^[!#-;=?-[\]_a-z~]+$/;

/**
 * Whether an address may be fetched at all, judged by its text alone and before any look-up.
 * The host must be written as the URL parser writes it, so that `0x7f.1`, `2130706433`, `0177.0.0.1`,
 * percent-encoded and non-ASCII hosts are refused rather than translated.
 *
 * Does NOT say that the host is public: addresses are checked after resolution.
 */
export function checkOutboundUrl(
  text: string,
): { ok: true; url: URL } | { ok: false; problem: string } {
  const refuse = (problem: string) => ({ ok: false, problem }) as const;
  if (text.length > longest) return refuse(`longer than ${longest} characters`);
  if (!plainUrl.test(text)) return refuse('characters that do not belong into a URL');
  const url = URL.parse(text);
  if (url?.protocol !== 'https:' || !/^https:\/\//i.test(text)) return refuse('not https');
  if (text.includes('#')) return refuse('fragment');
  const authority = text.slice('https://'.length).split(/[/?]/, 1)[0] ?? '';
  if (authority.includes('@')) return refuse('userinfo');
  if (url.port === '0') return refuse('port 0');
  const host = authority.replace(/:\d*$/, '').toLowerCase();
  if (host !== url.hostname) return refuse('host is not in its plain form');
  if (host.endsWith('.') || host === '') return refuse('host ends in a dot');
  return { ok: true, url };
}
