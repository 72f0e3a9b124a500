import {
  ago,
  foreign,
  type Html,
  html,
  type Page,
  type Provenance,
  plainText,
  provenanceChip,
  shorten,
} from '../http/index.ts';
import { type TokensView, tokensSection } from './personal-token-pages.ts';
import { workspacesSection } from './workspaces-section.ts';

/** One grant: an app that may act for this person at one resource (and in one workspace). */
export type ConnectedApp = {
  grantId: string;
  clientName: string;
  known: Provenance;
  resource: { name: string; uri: string };
  workspace?: string;
  scopes: { name: string; description: string }[];
  since: Date;
  lastUsed?: Date;
};

/** What the account page shows. */
export type AccountView = {
  user: { email: string; name?: string };
  apps: ConnectedApp[];
  tokens: Omit<TokensView, 'csrf' | 'now'>;
  /** those that the person is a member of */
  workspaces?: Parameters<typeof workspacesSection>[0];
  csrf: string;
  /** posts `csrf` and `grant` */
  revokeAction: string;
  /** posts `csrf` */
  signOutAction: string;
  now: Date;
  /** a sentence: what was just done */
  done?: string;
};

/** Who is signed in, which apps may act for them, and their own tokens, each with a button that ends it. */
export function accountPage(view: AccountView): Page {
  const { user, apps, done, workspaces = [] } = view;
  const body = html`${accountBar(view)}
<section>
<h1>${user.name ? foreign(user.name, 48) : 'Your account'}</h1>
${done && html`<p class="note good" role="status">${done}</p>`}
<h2>Connected apps</h2>
<p class="sub">These apps may act for you until you disconnect them. Disconnecting ends their access at once.</p>
${apps.length > 0 ? html`<ul class="rows">${apps.map((app) => row(app, view))}</ul>` : nothing}
</section>
${workspaces.length > 0 && workspacesSection(workspaces)}
${tokensSection({ ...view.tokens, csrf: view.csrf, now: view.now })}`;
  return { title: 'Your account', body, width: 'wide' };
}

/** Who is signed in, and the way out: the first line of every page of the account area. */
export function accountBar({
  user,
  signOutAction,
  csrf,
}: Pick<AccountView, 'user' | 'signOutAction' | 'csrf'>): Html {
  const initial = plainText(user.name || user.email)
    .slice(0, 1)
    .toUpperCase();
  return html`<div class="account"><span class="avatar" aria-hidden="true">${initial}</span><span>Signed in as <b>${foreign(user.email, 48)}</b></span><form method="post" action="${signOutAction}"><input type="hidden" name="csrf" value="${csrf}"><button class="small">Sign out</button></form></div>`;
}

const nothing = html`<p class="empty">No app is connected. One appears here after you approve it.</p>`;

function row(app: ConnectedApp, { csrf, revokeAction, now }: AccountView): Html {
  const { resource, workspace, scopes } = app;
  const label = `Disconnect ${brief(app.clientName)} from ${brief(resource.name)}`;
  return html`<li class="app"><div><h3>${foreign(app.clientName)}</h3>${provenanceChip(app.known)}</div>
<dl class="facts">
<dt>Uses</dt><dd><div>${foreign(resource.name)}${workspace && html`, workspace ${foreign(workspace, 40)}`}</div><code>${foreign(resource.uri, 80)}</code></dd>
<dt>May</dt><dd>${scopes.map(scope)}</dd>
<dt>Last used</dt><dd>${app.lastUsed ? when(app.lastUsed, now) : 'never'}</dd>
<dt>Connected</dt><dd>${when(app.since, now)}</dd>
</dl>
<form method="post" action="${revokeAction}"><input type="hidden" name="csrf" value="${csrf}"><input type="hidden" name="grant" value="${app.grantId}"><button class="small danger" aria-label="${label}">Disconnect</button></form></li>`;
}

function brief(text: string): string {
  return shorten(plainText(text), 60);
}

function scope({ name, description }: { name: string; description: string }): Html {
  return html`<div>${foreign(description, 120)} <code>${foreign(name, 60)}</code></div>`;
}

function when(time: Date, now: Date): Html {
  const exact = time.toISOString();
  return html`<time datetime="${exact}" title="${exact}">${ago(time, now)}</time>`;
}
