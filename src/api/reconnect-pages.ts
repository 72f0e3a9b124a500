import { careIcon, foreign, type Html, html, type Page, problemNote } from '../http/index.ts';

/** What is connected again. */
export interface ReconnectFacts {
  workspace: { name: string; slug: string };
  resource: { name: string; uri: string };
  /** As the client calls what is connected. */
  label: string;
  /** E-mail address of who is signed in. */
  account: string;
}

/** Asks once: one form with `csrf` and the button `decision` = `connect`. */
export function confirmReconnectPage(
  view: ReconnectFacts & { action: string; csrf: string; problem?: string },
): Page {
  const body = html`<form method="post" action="${view.action}">
<input type="hidden" name="csrf" value="${view.csrf}">
<section>
<h1>Connect to ${foreign(view.workspace.name, 40)} again</h1>
<p class="sub">Somebody who uses this workspace through ${foreign(view.resource.name, 40)} asked for this link. It makes a new token, which acts as you in this workspace until you revoke it.</p>
${view.problem !== undefined && problemNote('problem', view.problem)}
${factsOf(view)}
<p>Go on only if you or your own assistant asked for it. Tokens that exist stay as they are.</p>
</section>
<div class="actions"><button class="primary" name="decision" value="connect">Make the token</button></div>
</form>`;
  return { title: 'Connect again', body };
}

/** The one page that ever shows the token. */
export function reconnectedPage(
  view: ReconnectFacts & { credential: string; accountUrl: string },
): Page {
  const { credential, resource } = view;
  const env = `MCP_URL="${resource.uri}"\nMCP_TOKEN="${credential}"\n`;
  const download = `data:text/plain;charset=utf-8,${encodeURIComponent(env)}`;
  const body = html`<section>
<h1>Copy your token now</h1>
<p class="note warn" role="note">${careIcon()}<span>It is shown only this once. Treat it like a password: whoever has it acts as you in this workspace. It does not expire; if it gets into wrong hands, revoke it on the page of the workspace.</span></p>
<div class="field"><label for="token">${foreign(view.label, 100)}</label><textarea id="token" class="secret" rows="2" readonly autofocus spellcheck="false" autocomplete="off">${credential}</textarea><small>Programs send it as <code>Authorization: Bearer …</code></small></div>
<div class="field"><label for="mcp-json">For <code>.mcp.json</code> of Claude Code</label><textarea id="mcp-json" class="secret" rows="10" readonly spellcheck="false" autocomplete="off">${mcpJson(resource.uri, credential)}</textarea></div>
${factsOf(view)}
</section>
<div class="actions two"><a class="button" href="${download}" download="workspace.env">Download as .env</a><a class="button" href="${view.accountUrl}">Done</a></div>`;
  return { title: 'Your token', body };
}

/**
 * The same for every link that does not work here, whatever the reason: who opens one learns nothing from it.
 */
export function reconnectRefusedPage(view: {
  account: string;
  signOutAction: string;
  csrf: string;
}): Page {
  const body = html`<form method="post" action="${view.signOutAction}">
<input type="hidden" name="csrf" value="${view.csrf}">
<section>
<h1>This link does not work</h1>
<p>A link to connect again works once, for ten minutes, and only for the account that owns the connection. Ask for a new one where you got this one.</p>
<p>You are signed in as ${foreign(view.account, 80)}. If the link is for another account of yours, sign out and open it again.</p>
</section>
<div class="actions"><button>Sign out</button></div>
</form>`;
  return { title: 'Link does not work', body };
}

function factsOf({ workspace, resource, label, account }: ReconnectFacts): Html {
  return html`<dl class="facts">
<dt>Workspace</dt><dd><div>${foreign(workspace.name, 80)}</div><code>${foreign(workspace.slug, 80)}</code></dd>
<dt>At</dt><dd><div>${foreign(resource.name, 80)}</div><code>${foreign(resource.uri, 120)}</code></dd>
<dt>For</dt><dd>${foreign(label, 100)}</dd>
<dt>As</dt><dd>${foreign(account, 80)}</dd>
</dl>`;
}

function mcpJson(url: string, credential: string): string {
  const headers = { Authorization: `Bearer ${credential}` };
  return JSON.stringify({ mcpServers: { workspace: { type: 'http', url, headers } } }, null, 2);
}
