import { isLoopbackHost } from './loopback.ts';
import { quote } from './values.ts';

const dangerous = new Set([
  'javascript:',
  'data:',
  'file:',
  'blob:',
  'about:',
  'vbscript:',
  'ws:',
  'wss:',
  'ftp:',
]);

/**
 * What an operator can see at a glance to be wrong with a redirect URI. The whole rule is in `oauth/` and is
 * applied when the client is stored; private-use schemes without a dot are left to it.
 */
export function redirectProblem(uri: string): { problem: string; fix: string } | undefined {
  const shown = quote(uri);
  if (uri.includes('*'))
    return { problem: `${shown} has a wildcard`, fix: 'list each redirect URI' };
  if (!/^[a-z][a-z0-9+.-]*:[\x21-\x7e]+$/i.test(uri) || !URL.canParse(uri)) {
    return {
      problem: `${shown} is not an absolute URI`,
      fix: 'write it as https://app.example.com/callback',
    };
  }
  const url = new URL(uri);
  if (dangerous.has(url.protocol))
    return { problem: `${shown} has a scheme that is never allowed`, fix: 'use https' };
  if (uri.includes('#')) return { problem: `${shown} has a fragment`, fix: 'remove it from the #' };
  if (url.username || url.password)
    return { problem: `${shown} holds a user name or password`, fix: 'remove them' };
  if (url.protocol === 'http:' && !isLoopbackHost(url.hostname)) {
    return { problem: `${shown} is http beyond this computer`, fix: 'use https' };
  }
  return undefined;
}
