import { createHash, randomBytes } from 'node:crypto';
import type { Page } from 'playwright-core';
import { z } from 'zod';
import { createPerson } from '../../examples/demo/person.ts';
import { approveButton, decide, emailField, openPage, signIn } from './browser.ts';
import type { Account } from './elsewhere.ts';
import type { UpstreamStage } from './upstream-stage.ts';

export type Answered = { status: number; body: Record<string, unknown>; headers: Headers };

/** Somebody who uses the workspace API with a token that they got in a browser. */
export type Member = Account & {
  /** Of the API's own resource, issued to the gateway. */
  token: string;
  workspace: string;
  /** @param replica which of the two is asked */
  api(method: string, path: string, body?: unknown, replica?: 0 | 1): Promise<Answered>;
};

/** A server as both APIs show it. */
export type Registered = { id: number; uuid: string; publicId: string };

/** Sends a request to the server under test, and reads what it answers. */
async function send(url: string, init: RequestInit): Promise<Answered> {
  const response = await fetch(url, { redirect: 'manual', ...init });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false;
  const body = isJson ? JSON.parse(text) : { text };
  return { status: response.status, body, headers: response.headers };
}

/** The token endpoint, as the gateway. */
export function askForToken(
  { replicas, gateway: { id, secret } }: UpstreamStage,
  form: Record<string, string>,
  replica: 0 | 1 = 0,
): Promise<Answered> {
  return send(`${replicas[replica]}/oauth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${id}:${secret}`)}` },
    body: new URLSearchParams(form),
  });
}

/** Token exchange for the token that a member has at another server. */
export function vend(
  stage: UpstreamStage,
  { token }: Pick<Member, 'token'>,
  audience: string,
  replica: 0 | 1 = 0,
): Promise<Answered> {
  const form = {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: token,
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    audience,
  };
  return askForToken(stage, form, replica);
}

const tokens = z.looseObject({ access_token: z.string() });

/** Signs in, consents and redeems the code: the authorization code flow as a program does it. */
export async function authorize(
  stage: UpstreamStage,
  account: Account,
  ask: { resource: string; scope: string; workspace?: string },
): Promise<string> {
  const { issuer, gateway } = stage;
  const verifier = randomBytes(32).toString('base64url');
  const url = `${issuer}/oauth/authorize?${new URLSearchParams({
    ...{ response_type: 'code', client_id: gateway.id, redirect_uri: gateway.redirectUri },
    ...{ scope: ask.scope, resource: ask.resource, state: 's' },
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  })}`;
  const back = await createPerson({ issuer, ...account }).authorize(url, ask);
  const { body } = await askForToken(stage, {
    ...{ grant_type: 'authorization_code', redirect_uri: gateway.redirectUri },
    ...{ code: back.searchParams.get('code') ?? '', code_verifier: verifier },
  });
  return tokens.parse(body).access_token;
}

/** Signs somebody in at the server under test, for its API. */
export async function signInMember(
  stage: UpstreamStage,
  account: Account,
  workspace: string,
): Promise<Member> {
  const scope = 'apps:read apps:write apps:admin';
  const token = await authorize(stage, account, { resource: `${stage.issuer}/api`, scope });
  return {
    ...{ ...account, token, workspace },
    api: (method, path, body, replica = 0) =>
      send(`${stage.replicas[replica]}${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      }),
  };
}

/** A path of the management API. */
export const managed = ({ workspace }: Pick<Member, 'workspace'>, rest = ''): string =>
  `/api/v2/w/${workspace}/mcp-servers${rest}`;

const shown = z.looseObject({ id: z.int(), uuid: z.string(), name: z.string() });

/** Registers a server in the member's workspace. */
export async function register(
  member: Member,
  fields: { name: string; url: string; [field: string]: unknown },
): Promise<Registered> {
  const body = { workspaceId: member.workspace, ...fields };
  const made = await member.api('POST', '/api/mcp-servers', body);
  if (made.status !== 201) throw new Error(`Not registered: ${JSON.stringify(made.body)}`);
  const list: unknown = (await member.api('GET', managed(member))).body;
  const found = z
    .array(shown)
    .parse(list)
    .find(({ name }) => name === fields.name);
  if (!found) throw new Error('It is not listed.');
  return { id: found.id, uuid: found.uuid, publicId: String(made.body.id) };
}

/** What a member has to open, who has yet to connect. */
export async function connectLink(member: Member, { id }: Registered): Promise<string> {
  const { status, body } = await member.api('GET', managed(member, `/${id}/tools`));
  if (status !== 403) throw new Error(`Not asked to connect: ${status} ${JSON.stringify(body)}`);
  return String(body.authorizeUrl);
}

/** A browser of somebody, as yet signed in nowhere. */
export async function browserOf(stage: UpstreamStage): Promise<Page> {
  return (await openPage(stage.browser)).page;
}

/** Opens a link of ours, signing in where it is asked for, and goes on to the other server. */
export async function leave(page: Page, link: string, here: Account): Promise<void> {
  await page.goto(link);
  if ((await page.locator(emailField).count()) > 0) await signIn(page, here.email, here.password);
  await page.getByRole('button', { name: 'Continue' }).click();
}

/** Signs in at the other authorization server, and allows; it asks for neither where it remembers. */
export async function allow(page: Page, there: Account): Promise<void> {
  const email = page.locator(emailField);
  const approve = page.locator(approveButton);
  const back = page.locator('h1').filter({ hasText: / connected$/ });
  await email.or(approve).or(back).first().waitFor();
  if ((await email.count()) > 0) {
    await signIn(page, there.email, there.password);
    await approve.or(back).first().waitFor();
  }
  if ((await approve.count()) === 0) return;
  const workspaces = page.locator('input[name=workspace]');
  if ((await workspaces.count()) > 0) await workspaces.first().check();
  await decide(page, 'approve');
}

/** The whole way from a link to the page that says that it is connected. */
export async function connect(
  page: Page,
  { link, here, there }: { link: string; here: Account; there: Account },
): Promise<void> {
  await leave(page, link, here);
  await allow(page, there);
  await seeHeading(page, / is connected$/);
}

/** Waits for a page, and says what is there instead. */
export async function seeHeading(page: Page, name: string | RegExp): Promise<void> {
  const heading = page.getByRole('heading', { name });
  await heading.waitFor().catch(async (cause: unknown) => {
    const words = await page.locator('body').textContent();
    throw new Error(`At ${page.url()} is no ${name}: ${words?.slice(0, 1500)}`, { cause });
  });
}
