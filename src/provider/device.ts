import { randomBytes } from 'node:crypto';
import type { Context } from 'koa';
import {
  type DeviceCodeProblem,
  deviceCodePage,
  deviceConnectedPage,
  deviceRefusedPage,
} from '../consent/index.ts';
import { currentRequest, readForm, readQuery, sendPage, single } from '../http/index.ts';
import type { WaitingDevice } from '../tokens/index.ts';
import { issuerOf } from './authorize.ts';
import { callLibrary } from './bridge.ts';
import { type BrowserSession, readSession } from './browser-session.ts';
import { cookieNames, cookieOptions } from './cookies.ts';
import type { ProviderDeps } from './deps.ts';
import { storedDevice } from './device-adapter.ts';
import { readUserCode, showUserCode } from './device-codes.ts';
import { interactionIsOver, interactionLifetime, requireInteraction } from './interaction.ts';
import { interactionPath, userCodeParameter } from './prompts.ts';
import type { LiveProvider } from './provider.ts';

const longestForm = 32 * 1024;

/** `/device` (RFC 8628 §3.3): a person types the code of a device, signs in and decides. */
export function device(deps: ProviderDeps, live: LiveProvider) {
  const { accounts, csrf, tokens, now } = deps;
  return {
    /** Shows the form. A complete verification URI fills it in; the person still sends it (§3.3.1). */
    async show(ctx: Context): Promise<void> {
      const code = readUserCode(single(readQuery(ctx), 'user_code') ?? '');
      send(deps, ctx, { userCode: code ? showUserCode(code) : '' });
    },

    async submit(ctx: Context): Promise<void> {
      const form = await readForm(ctx, longestForm);
      csrf.check(ctx, formKey, single(form, 'csrf'));
      const typed = single(form, 'user_code') ?? '';
      const session = await readSession(live.current, ctx);
      const { userId } = session ?? {};
      const guess = await accounts.guesses.begin({
        what: 'user_code',
        userId,
        meta: deps.auditMeta(),
      });
      if (!guess.ok) {
        ctx.set('Retry-After', String(guess.retryAfter));
        return send(deps, ctx, { userCode: typed, problem: { kind: 'locked', ...guess } });
      }
      const userCode = readUserCode(typed);
      const browser = csrf.issue(ctx, `device:${userCode}`); // the same whenever this browser types it
      const found = userCode && (await tokens.devices.claim({ userCode, browser }, now()));
      if (!userCode || !found) {
        await guess.wrong();
        return send(deps, ctx, { userCode: typed, problem: { kind: 'unknown' } });
      }
      await guess.right();
      await begin(deps, live, ctx, { found, userCode, session });
    },

    async connected(ctx: Context): Promise<void> {
      sendPage(ctx, deviceConnectedPage({ accountUrl: `${deps.base}/account` }));
    },

    async refused(ctx: Context): Promise<void> {
      sendPage(ctx, deviceRefusedPage());
    },

    /** `GET /device/{uid}`: on after a sign-in or a consent page. */
    async resume(ctx: Context): Promise<void> {
      const { current, handle } = live;
      const https = deps.config.server.issuer.startsWith('https:');
      const { cookies } = current.createContext(ctx.req, ctx.res);
      if (!cookies.get(cookieNames(https).resume, { signed: true })) throw interactionIsOver();
      await requireInteraction(current, ctx.params.uid, { device: true });
      const path = `/device/${encodeURIComponent(ctx.params.uid)}`;
      ctx.state.page = true;
      await callLibrary(ctx, { handle, ...issuerOf(deps) }, path, {}, { form: {} });
    },
  };
}

const formKey = 'device';

/**
 * Asks the person to sign in, or to decide. From here on the library goes on as in every authorization:
 * the pages are bound to this browser by cookies, and to the person who signs in.
 */
async function begin(
  deps: ProviderDeps,
  live: LiveProvider,
  ctx: Context,
  {
    found,
    userCode,
    session,
  }: { found: WaitingDevice; userCode: string; session?: BrowserSession },
): Promise<void> {
  const https = deps.config.server.issuer.startsWith('https:');
  const provider = live.current;
  const uid = randomBytes(16).toString('base64url');
  const interaction = Object.assign(new provider.Interaction(), {
    uid,
    cid: randomBytes(16).toString('base64url'),
    returnTo: `${deps.config.server.issuer.replace(/\/$/, '')}/device/${uid}`,
    prompt: promptFor(session),
    params: { ...found.params, [userCodeParameter]: showUserCode(userCode) },
    session: session && { accountId: session.userId, uid: session.uid, cookie: '' },
    deviceCode: storedDevice(found.id),
  });
  await interaction.save(interactionLifetime);
  const names = cookieNames(https);
  const { cookies } = provider.createContext(ctx.req, ctx.res);
  const options = { ...cookieOptions(https), maxAge: interactionLifetime * 1000 };
  for (const name of [names.interaction, names.resume]) cookies.set(name, uid, options);
  ctx.status = 303;
  ctx.redirect(interactionPath(deps, interaction));
  ctx.body = '';
}

/** Whoever is signed in decides at once; consent for a device is never remembered. */
function promptFor(session: BrowserSession | undefined) {
  return session
    ? { name: 'consent', reasons: ['device'], details: {} }
    : { name: 'login', reasons: ['no_session'], details: {} };
}

function send(
  { base, csrf, log }: ProviderDeps,
  ctx: Context,
  { userCode, problem }: { userCode: string; problem?: DeviceCodeProblem },
): void {
  if (problem) log.info({ problem: problem.kind, ip: currentRequest().ip }, 'user code refused');
  const page = deviceCodePage({
    action: `${base}/device`,
    csrf: csrf.issue(ctx, formKey),
    userCode,
    problem,
  });
  const statuses = { unknown: 400, locked: 429 };
  sendPage(ctx, page, { status: problem ? statuses[problem.kind] : 200 });
}
