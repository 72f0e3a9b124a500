import type { Membership, WorkspaceRole } from '../accounts/index.ts';
import { grantTypes } from '../oauth/index.ts';
import { basic, granted } from './answers.testing.ts';
import { type Browser, readForm } from './browser.testing.ts';
import { good, redeem, type Tokens } from './flow.testing.ts';
import { answerOf, openConsent, signedIn } from './people.testing.ts';
import { alice, startServer, type TestServer, webCallback, webSecret } from './server.testing.ts';

/** Scoped to workspaces; in them only admins may grant `s:admin`. Its tokens are JWTs. */
export const spaces = 'https://spaces.test/mcp';
/** The same with opaque tokens; everybody may grant everything. */
export const vault = 'https://vault.test/mcp';
/** Towards `mine` the client TOOL exchanges with consent, towards `policy` without. */
export const mine = 'https://mine.test/mcp';
export const policy = 'https://policy.test/mcp';

const resources = `
  - slug: spaces
    uri: ${spaces}
    workspace_scoped: true
    clients: [RS1, TOOL]
    scopes: [{ name: "s:use", description: Use it }, { name: "s:admin", description: Rule it }]
    access: [{ scopes: ["s:use"] }, { workspace_roles: [admin], scopes: ["s:admin"] }]
    claims: { ws: workspace.slug, ws_name: workspace.name, ws_role: workspace.role }
  - { slug: vault, uri: "${vault}", workspace_scoped: true, token_format: opaque, clients: [RS1], scopes: [{ name: "v:use" }] }
  - { slug: mine, uri: "${mine}", workspace_scoped: true, clients: [RS1], scopes: [{ name: "m:use" }], exchange: { clients: [TOOL] } }
  - { slug: policy, uri: "${policy}", workspace_scoped: true, clients: [RS1], scopes: [{ name: "p:use" }, { name: "p:admin" }], access: [{ scopes: ["p:use"] }, { workspace_roles: [admin], scopes: ["p:admin"] }], exchange: { clients: [TOOL], consent: operator } }`;

const extra = `workspaces:
  - { slug: acme, name: Acme Inc. }
  - { slug: beta, name: Beta Ltd. }
  - { slug: gamma, name: Gamma }
`;

/** A server with these resources and workspaces, and the client TOOL that exchanges. */
export async function startWorkspaces(
  options: Parameters<typeof startServer>[0] = {},
): Promise<TestServer> {
  const server = await startServer({ ...options, resources, extra: extra + (options.extra ?? '') });
  const by = { actor: { kind: 'cli' as const }, meta: { at: server.now() } };
  await server.app.rooms.clients.create(
    {
      ...{ client_id: 'TOOL', client_secret: webSecret, redirect_uris: [webCallback] },
      grant_types: [
        ...[grantTypes.authorizationCode, grantTypes.refreshToken, grantTypes.tokenExchange],
        grantTypes.clientCredentials,
      ],
    },
    'cli',
    by,
  );
  return server;
}

export async function workspaceId({ app }: TestServer, slug: string): Promise<string> {
  const found = await app.rooms.workspaces.find(slug);
  if (!found) throw new Error(`no workspace ${slug}`);
  return found.id;
}

export async function userId({ db }: Pick<TestServer, 'db'>, { email }: { email: string }) {
  const user = db.kysely.selectFrom('users').select('id').where('email', '=', email);
  return (await user.executeTakeFirstOrThrow()).id;
}

/** Makes somebody a member of exactly these. */
export async function memberOf(
  server: TestServer,
  person: { email: string },
  roles: Record<string, WorkspaceRole>,
): Promise<void> {
  const { workspaces } = server.app.rooms;
  const meta = { at: server.now() };
  const id = await userId(server, person);
  for (const { id: workspace } of await workspaces.membershipsOf(id)) {
    await workspaces.removeMember({ workspaceId: workspace, userId: id }, meta);
  }
  for (const [slug, role] of Object.entries(roles)) {
    const member = { workspaceId: await workspaceId(server, slug), role, source: 'admin' } as const;
    await workspaces.addMember({ ...member, who: { id } }, meta);
  }
}

export async function leave(server: TestServer, person: { email: string }, slug: string) {
  const member = {
    workspaceId: await workspaceId(server, slug),
    userId: await userId(server, person),
  };
  await server.app.rooms.workspaces.removeMember(member, { at: server.now() });
}

export const membershipsOf = async (
  server: TestServer,
  person: { email: string },
): Promise<Membership[]> => server.app.rooms.workspaces.membershipsOf(await userId(server, person));

/** The radios of a page: id and whether it is chosen. */
export function radiosOn(html: string): Record<string, boolean> {
  const radios = [
    ...html.matchAll(/<input type="radio" name="workspace" value="([^"]*)"([^>]*)>/g),
  ];
  return Object.fromEntries(radios.map(([, id = '', rest = '']) => [id, /\bchecked\b/.test(rest)]));
}

/** The whole way to tokens for one workspace. */
export async function tokensFor(
  server: TestServer,
  slug: string,
  {
    person = alice,
    browser,
    headers = {},
    ...changes
  }: {
    person?: typeof alice;
    browser?: Browser;
    headers?: Record<string, string>;
    client_id?: string;
    redirect_uri?: string;
    resource?: string;
    scope?: string;
    prompt?: string;
  } = {},
): Promise<Tokens> {
  const flow = good({ resource: spaces, scope: 's:use', prompt: 'consent', ...changes });
  const own = browser ?? (await signedIn(server, person));
  const { page } = await openConsent(server, flow, { browser: own });
  const { action, fields } = readForm(page.html);
  const id = await workspaceId(server, slug);
  const chosen = fields.filter(([name]) => name !== 'workspace');
  const answer = await own.submit(action, [...chosen, ['workspace', id], ['decision', 'approve']]);
  const code = answerOf(answer).get('code');
  if (!code) throw new Error(`no code: ${answer.url} ${answer.html.slice(0, 3000)}`);
  return granted(await redeem(server, flow, code, {}, headers));
}

/** What a token is to its resource server. */
export async function introspect(
  server: TestServer,
  token: string,
): Promise<Record<string, unknown>> {
  const answer = await server.post('/oauth/introspect', { token }, basic('RS1', webSecret));
  return JSON.parse(await answer.text());
}
