import { foreign, type Html, html, plainText, shorten } from '../http/index.ts';

/** Another MCP server that the workspace uses, as one of its members stands to it. */
export type ConnectedServer = {
  /** page on which the member connects or disconnects; absent where there is nothing to do */
  connectUrl?: string;
  name: string;
  url: string;
  /** `ready`: it asks nobody to connect */
  status: 'connected' | 'disconnected' | 'error' | 'ready' | 'disabled';
};

export type ServersView = { servers: readonly ConnectedServer[] };

/** Other MCP servers, each with the way to connect to it, or to end that. */
export function serversSection({ servers }: ServersView): Html {
  return html`<section id="servers">
<h2>Connected servers</h2>
<p class="sub">Other MCP servers that this workspace uses. What you connect is yours: it acts for you, and for no other member.</p>
${servers.length > 0 ? html`<ul class="rows">${servers.map(row)}</ul>` : html`<p class="empty">There is none. A member registers one through the workspace API.</p>`}
</section>`;
}

function row(server: ConnectedServer): Html {
  const { name, url } = server;
  return html`<li class="app"><div><h3>${foreign(name)}</h3>${statusChip(server)}<p class="sub"><code>${foreign(url, 80)}</code></p></div>${action(server)}</li>`;
}

function statusChip({ status }: ConnectedServer): Html {
  switch (status) {
    case 'connected':
      return html`<span class="chip good">Connected</span>`;
    case 'error':
      return html`<span class="chip bad">Connection broken</span>`;
    case 'disconnected':
      return html`<span class="chip warn">Not connected</span>`;
    case 'ready':
      return html`<span class="chip good">Ready for everybody</span>`;
    case 'disabled':
      return html`<span class="chip">Switched off</span>`;
  }
}

function action({ connectUrl, name, status }: ConnectedServer): Html {
  if (connectUrl === undefined || status === 'disabled') return html``;
  const words = wordsOf[status];
  const look = status === 'connected' ? 'button small danger' : 'button small';
  return html`<div class="buttons"><a class="${look}" href="${connectUrl}" aria-label="${words} ${shorten(plainText(name), 60)}">${words}</a></div>`;
}

const wordsOf = {
  connected: 'Disconnect',
  disconnected: 'Connect',
  error: 'Connect again',
  ready: 'Connect',
} as const;
