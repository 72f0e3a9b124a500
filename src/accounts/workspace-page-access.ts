import {
  foreign,
  type Html,
  html,
  type Provenance,
  plainText,
  provenanceChip,
  shorten,
} from '../http/index.ts';
import { shownTime } from './shown-time.ts';

/** Something that may act in the workspace and can be ended alone. */
export type Connector = {
  /** what its form posts as `connector` */
  id: string;
  name: string;
  /** an app that was approved, or a token that somebody pasted */
  known: Provenance | { kind: 'credential'; through?: string };
  /** e-mail address of the member for whom it acts; absent where that is the reader */
  by?: string;
  resource: { name: string; uri: string };
  /** scopes, in words; absent: whatever its member may do */
  scopes?: string[];
  since: Date;
  lastUsed?: Date;
  lastUsedThrough?: string;
};

export type ConnectorsView = {
  connectors: Connector[];
  /** whether everybody's are shown */
  everybody: boolean;
  /** address of the workspace page */
  url: string;
  csrf: string;
  now: Date;
};

/** Apps that were approved for the workspace and tokens for single clients, each with a button that ends it. */
export function connectorsSection(view: ConnectorsView): Html {
  const { connectors, everybody } = view;
  return html`<section id="connectors">
<h2>Connectors</h2>
<p class="sub">${everybody ? 'Every app that acts in this workspace, and for whom.' : 'The apps that act for you in this workspace.'} Disconnecting one ends its access at once, and leaves the others alone.</p>
${connectors.length > 0 ? html`<ul class="rows">${connectors.map((one) => row(one, view))}</ul>` : html`<p class="empty">Nothing is connected. A connector appears here after you approve it.</p>`}
</section>`;
}

function row(connector: Connector, { url, csrf, now }: ConnectorsView): Html {
  const { id, name, by, resource, scopes, since, lastUsed, lastUsedThrough } = connector;
  const label = `Disconnect ${brief(name)}${by === undefined ? '' : ` of ${brief(by)}`}`;
  const through = lastUsedThrough && html`, through <code>${lastUsedThrough}</code>`;
  return html`<li class="app"><div><h3>${foreign(name)}</h3>${chip(connector)}</div>
<dl class="facts">
${by !== undefined && html`<dt>Acts for</dt><dd>${foreign(by, 80)}</dd>`}
<dt>Uses</dt><dd><div>${foreign(resource.name)}</div><code>${foreign(resource.uri, 80)}</code></dd>
<dt>May</dt><dd>${scopes ? scopes.map((scope) => html`<div>${foreign(scope, 120)}</div>`) : 'whatever its member may do here'}</dd>
${connector.known.kind === 'credential' && html`<dt>Id</dt><dd><code>${id}</code></dd>`}
<dt>Last used</dt><dd>${lastUsed ? html`${shownTime(lastUsed, now)}${through}` : 'never'}</dd>
<dt>Connected</dt><dd>${shownTime(since, now)}</dd>
</dl>
<form method="post" action="${url}/connectors/revoke"><input type="hidden" name="csrf" value="${csrf}"><input type="hidden" name="connector" value="${id}"><button class="small danger" aria-label="${label}">Disconnect</button></form></li>`;
}

function chip({ known }: Connector): Html {
  if (known.kind !== 'credential') return provenanceChip(known);
  const { through } = known;
  return html`<span class="chip">${through === undefined ? 'Token' : `Token from a ${through}`}</span>`;
}

/** The default credential of the workspace at one endpoint. */
export type DefaultCredential = {
  /** slug of the resource, in the addresses of its forms */
  slug: string;
  title: string;
  uri: string;
  current?: {
    id: string;
    /** e-mail address of the admin for whom it acts */
    by: string;
    since: Date;
    lastUsed?: Date;
    lastUsedThrough?: string;
  };
};

export type CredentialsView = {
  credentials: DefaultCredential[];
  /** whether the reader may make and revoke them */
  manages: boolean;
  url: string;
  now: Date;
};

/** The tokens of the workspace itself: one for each endpoint, made and ended by its admins. */
export function credentialsSection(view: CredentialsView): Html {
  const { credentials, manages } = view;
  return html`<section id="credentials">
<h2>Credentials</h2>
<p class="sub">For clients that cannot sign in: a token <code>&lt;credential-id&gt;.&lt;secret&gt;</code> that works in this workspace until somebody revokes or regenerates it.${!manages && ' Admins make it.'}</p>
${credentials.length > 0 ? html`<ul class="rows">${credentials.map((one) => credentialRow(one, view))}</ul>` : html`<p class="empty">There is no endpoint that takes one.</p>`}
</section>`;
}

function credentialRow(
  credential: DefaultCredential,
  { manages, url, now }: CredentialsView,
): Html {
  const { slug, title, current } = credential;
  const path = `${url}/credentials/${encodeURIComponent(slug)}`;
  const actions = current
    ? html`<a class="button small" href="${path}" aria-label="Regenerate the default token for ${brief(title)}">Regenerate</a><a class="button small danger" href="${path}/revoke" aria-label="Revoke the default token for ${brief(title)}">Revoke</a>`
    : html`<a class="button small" href="${path}" aria-label="Create the default token for ${brief(title)}">Create</a>`;
  return html`<li class="app"><div><h3>Default token for ${foreign(title)}</h3>${current ? html`<span class="chip"><code>${current.id}</code></span>` : html`<p class="sub">There is none yet.</p>`}</div>
${current && credentialFacts(current, now)}
${manages && html`<div class="buttons">${actions}</div>`}</li>`;
}

function credentialFacts(current: NonNullable<DefaultCredential['current']>, now: Date): Html {
  const { by, since, lastUsed, lastUsedThrough } = current;
  const through = lastUsedThrough && html`, through <code>${lastUsedThrough}</code>`;
  return html`<dl class="facts">
<dt>Acts for</dt><dd>${foreign(by, 80)}, who made it</dd>
<dt>Last used</dt><dd>${lastUsed ? html`${shownTime(lastUsed, now)}${through}` : 'never'}</dd>
<dt>Made</dt><dd>${shownTime(since, now)}</dd>
</dl>`;
}

function brief(text: string): string {
  return shorten(plainText(text), 60);
}
