import type { IncomingMessage } from 'node:http';
import type Provider from 'oidc-provider';

interface CookieJar {
  secure?: boolean;
  get(name: string, options?: object): string | undefined;
  set(name: string, value?: string | null, options?: CookieSettings): unknown;
}
interface CookieSettings {
  path?: string;
  [option: string]: unknown;
}
interface CookieContext {
  path: string;
  req: IncomingMessage;
  cookies: CookieJar;
}

const session = 'session';
const interaction = 'interaction';
const resume = 'resume';
/** Sign-ins that one browser may have open. */
const mostInteractions = 10;
/** Of those beyond, so many are forgotten with one answer: its headers have limits too. */
const mostForgotten = 5;

/** `__Host-` on https (RFC 6265bis §4.1.3.2); browsers refuse that prefix on plain http. */
export function cookieNames(https: boolean) {
  const prefix = https ? '__Host-' : '';
  return { session: prefix + session, interaction: prefix + interaction, resume: prefix + resume };
}

export function cookieOptions(https: boolean) {
  return {
    path: '/',
    httpOnly: true,
    sameSite: 'lax' as const,
    signed: true,
    secure: https,
    overwrite: true,
  };
}

/**
 * The library keeps parallel sign-ins apart by cookie paths, which `__Host-` forbids. So each
 * interaction gets a cookie of its own name instead: `interaction-<uid>` and `resume-<uid>`, path `/`.
 */
export function nameCookiesByInteraction(provider: Provider, https: boolean): void {
  const names = cookieNames(https);
  const perInteraction = new Set([names.interaction, names.resume]);
  const context: object = provider.context;
  const original = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(context), 'cookies')?.get;
  if (!original) throw new TypeError('koa has changed: its context has no cookies getter');
  const wrapped = Symbol('wrapped');

  Object.defineProperty(context, 'cookies', {
    configurable: true,
    get(this: CookieContext) {
      const jar: CookieJar & { [wrapped]?: true } = original.call(this);
      if (jar[wrapped]) return jar;
      const get = jar.get.bind(jar);
      const plainSet = jar.set.bind(jar);
      // The jar itself takes back a cookie with a bad signature, without these attributes.
      const set: CookieJar['set'] = (name, value, options) =>
        plainSet(name, value, { sameSite: 'lax', secure: https, ...options });
      jar[wrapped] = true;
      jar.secure = https;
      jar.get = (name, options) =>
        get(perInteraction.has(name) ? `${name}-${lastSegment(this.path)}` : name, options);
      jar.set = (name, value, options) => {
        if (!perInteraction.has(name)) return set(name, value, options);
        const uid = value || lastSegment(options?.path ?? this.path);
        if (name === names.interaction && value) {
          for (const old of abandoned(this.req, names.interaction)) {
            set(`${names.interaction}-${old}`, null, { ...options, path: '/' });
            set(`${names.resume}-${old}`, null, { ...options, path: '/' });
          }
        }
        if (name === names.resume && !value)
          set(`${names.interaction}-${uid}`, null, { ...options, path: '/' });
        return set(`${name}-${uid}`, value, { ...options, path: '/' });
      };
      return jar;
    },
  });
}

/**
 * Interactions that a browser began long before its latest ones. A client that starts over and over
 * would fill the browser's cookies until no server accepts its requests any more.
 */
function abandoned(req: IncomingMessage, name: string): string[] {
  const header = req.headers.cookie ?? '';
  const uids = [...header.matchAll(new RegExp(`(?:^|; *)${name}-([\\w-]+)=`, 'g'))];
  // RFC 6265 §5.4: a browser sends the older ones first.
  const excess = Math.max(0, uids.length - mostInteractions);
  return uids.slice(0, Math.min(excess, mostForgotten)).map(([, uid = '']) => uid);
}

function lastSegment(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
