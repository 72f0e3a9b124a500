import { foreign, type Html, html, type Page, problemNote } from '../http/index.ts';
import type { ConnectFailure, ConnectorStatus } from '../upstream/index.ts';

/** Another MCP server, as one of the members of its workspace stands to it. */
export interface ConnectView {
  server: { name: string; url: string };
  workspace: { name: string };
  /** E-mail address of who is signed in. */
  account: string;
  status: ConnectorStatus;
  /** Where its form posts to: `decision` = `connect` or `disconnect`. */
  action: string;
  csrf: string;
  workspaceUrl: string;
  /** Nothing of another server is in it that was not made safe. */
  problem?: string | undefined;
}

/** Asks before a browser leaves for another authorization server (T15), and shows what came of it. */
export function connectPage(view: ConnectView): Page {
  const { status, problem } = view;
  const isConnected = status === 'connected';
  const name = foreign(view.server.name, 40);
  const body = html`<form method="post" action="${view.action}">
<input type="hidden" name="csrf" value="${view.csrf}">
<section>
<h1>${isConnected ? html`${name} is connected` : html`Connect ${name}`}</h1>
${problem !== undefined && problemNote('problem', problem)}
${sentence(view)}
${facts(view)}
</section>
<div class="actions two">${
    isConnected
      ? html`<button class="button danger" name="decision" value="disconnect">Disconnect</button><a class="button" href="${view.workspaceUrl}">To the workspace</a>`
      : html`<a class="button" href="${view.workspaceUrl}">Not now</a><button class="primary" name="decision" value="connect">Continue</button>`
  }</div>
</form>`;
  return { title: isConnected ? 'Connected' : 'Connect a server', body };
}

function sentence({ status }: ConnectView): Html {
  switch (status) {
    case 'connected':
      return html`<p>It acts for you in this workspace, and for no other member.</p>`;
    case 'error':
      return html`<p>The connection is broken: its authorization server takes it no more. Go on to sign in there again.</p>`;
    case 'disconnected':
      return html`<p>You go on to the authorization server of this MCP server. What you allow there is yours: this workspace then acts for you at that server, and for no other member.</p>
<p class="sub">Go on only if you meant to connect this server.</p>`;
  }
}

function facts({ server, workspace, account }: ConnectView): Html {
  return html`<dl class="facts">
<dt>Server</dt><dd><div>${foreign(server.name, 80)}</div><code>${foreign(server.url, 120)}</code></dd>
<dt>Workspace</dt><dd>${foreign(workspace.name, 80)}</dd>
<dt>As</dt><dd>${foreign(account, 80)}</dd>
</dl>`;
}

/** Somebody came back, or came with a link, and is not connected. */
export function connectRefusedPage(view: {
  failure: ConnectFailure;
  traceId: string;
  accountUrl: string;
}): Page {
  const body = html`<section>
<h1>${view.failure === 'link' ? 'This link does not work' : 'The server is not connected'}</h1>
<p>${failureSentence(view.failure)}</p>
<dl class="facts"><dt>Error</dt><dd><code>${view.failure}</code></dd><dt>Trace</dt><dd><code>${view.traceId}</code></dd></dl>
</section>
<div class="actions"><a class="button" href="${view.accountUrl}">To your account</a></div>`;
  return { title: 'Not connected', body };
}

/** What a person is told; nothing of what another server said is in it. */
export function failureSentence(failure: ConnectFailure): string {
  switch (failure) {
    case 'link':
      return 'A link to connect a server works once, for ten minutes, and only for the person that it was made for. Ask for a new one where you got this one.';
    case 'state':
      return 'This connection was finished already, or was not begun here. Connect the server again.';
    case 'browser':
      return 'This connection was begun in another browser or by somebody else. Nothing was stored. Connect the server again in this browser.';
    case 'expired':
      return 'This connection took longer than ten minutes. Connect the server again.';
    case 'swapped':
      return 'The answer belongs to another server than the one that it came for. Nothing was stored; somebody may be trying to take your access.';
    case 'gone':
      return 'The server, or your place in its workspace, has changed meanwhile. Nothing was stored.';
    case 'cancelled':
      return 'You did not allow it at the authorization server of this MCP server.';
    case 'refused_there':
      return 'The authorization server of this MCP server refused. Whoever runs this server finds its reason in the log.';
    case 'unreachable':
      return 'The authorization server of this MCP server does not answer right now. Try again in a moment.';
    case 'not_accepted':
      return 'The answer of the authorization server of this MCP server cannot be used. Nothing was stored.';
    case 'not_ready':
      return 'This MCP server cannot be connected right now.';
  }
}
