import { foreign, type Html, html, type Page, problemNote } from '../http/index.ts';
import { accountBar } from './account-page.ts';
import { type TokensView, tokensSection } from './personal-token-pages.ts';
import {
  type ConnectorsView,
  type CredentialsView,
  connectorsSection,
  credentialsSection,
} from './workspace-page-access.ts';
import { connectSection, type ShownEndpoint } from './workspace-page-connect.ts';
import { asRole, type MembersView, membersSection } from './workspace-page-members.ts';
import { type ConnectedServer, serversSection } from './workspace-page-servers.ts';
import type { WorkspaceRole } from './workspaces-policy.ts';

/** What the page of a workspace shows to one of its members. */
export type WorkspaceView = {
  user: { email: string; name?: string };
  workspace: { id: string; slug: string; name: string; role: WorkspaceRole };
  endpoints: ShownEndpoint[];
  members: Pick<MembersView, 'members' | 'moreUrl' | 'admin'>;
  connectors: ConnectorsView['connectors'];
  credentials: CredentialsView['credentials'];
  tokens: Omit<TokensView, 'csrf' | 'now' | 'newUrl'> & { links: { url: string; for: string }[] };
  servers: readonly ConnectedServer[];
  /** its own address, under which its forms lie */
  url: string;
  accountUrl: string;
  /** posts `csrf` */
  signOutAction: string;
  /** of the forms of this page, and of those that the account page has as well */
  csrf: { workspace: string; account: string };
  now: Date;
  /** a sentence: what was just done */
  done?: string | undefined;
  /** a sentence: what was refused */
  problem?: string | undefined;
};

/** Everything about a workspace for one of its members: how to connect, who is in it, and what acts in it. */
export function workspacePage(view: WorkspaceView): Page {
  const { user, workspace, url, now, csrf, done, problem } = view;
  const isAdmin = workspace.role === 'admin';
  const common = { url, csrf: csrf.workspace, now };
  const body = html`${accountBar({ user, signOutAction: view.signOutAction, csrf: csrf.account })}
<section>
<p class="crumb"><a href="${view.accountUrl}">Your account</a></p>
<h1>${foreign(workspace.name, 80)}</h1>
<p class="sub">You are ${asRole(workspace.role)} of this workspace. Its id is <code>${workspace.id}</code></p>
${done !== undefined && html`<p class="note good" role="status">${done}</p>`}
${problem !== undefined && problemNote('refused', problem)}
<nav class="jump" aria-label="On this page">${jumps(isAdmin)}</nav>
</section>
${connectSection(view.endpoints)}
${membersSection({ ...view.members, ...common })}
${connectorsSection({ connectors: view.connectors, everybody: isAdmin, ...common })}
${credentialsSection({ credentials: view.credentials, manages: isAdmin, ...common })}
${tokensSection({ ...view.tokens, csrf: csrf.account, now })}
${serversSection({ servers: view.servers })}`;
  return { title: 'Workspace', body, width: 'wide' };
}

function jumps(isAdmin: boolean): Html[] {
  const places: [string, string][] = [
    ['connect', 'Connect'],
    ['members', 'Members'],
    ...(isAdmin ? ([['invitations', 'Invitations']] satisfies [string, string][]) : []),
    ['connectors', 'Connectors'],
    ['credentials', 'Credentials'],
    ['tokens', 'Tokens'],
    ['servers', 'Servers'],
  ];
  return places.map(([id, name]) => html`<a href="#${id}">${name}</a>`);
}
