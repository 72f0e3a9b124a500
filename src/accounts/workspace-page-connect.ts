import { foreign, type Html, html } from '../http/index.ts';
import {
  type ClientConfiguration,
  clientConfigurations,
  type Step,
} from './client-configurations.ts';

/** A resource of the workspace, as its clients reach it. */
export type ShownEndpoint = {
  /** URI of the resource: what to paste. */
  url: string;
  /** What clients call it. */
  name: string;
  title: string;
  /** whether it takes tokens that are bound to no key */
  bearer: boolean;
};

/** The endpoints of a workspace, each with what to paste into which client. */
export function connectSection(endpoints: readonly ShownEndpoint[]): Html {
  return html`<section id="connect">
<h2>Connect a client</h2>
${endpoints.length > 0 ? html`<p class="sub">Paste the endpoint into any client that speaks MCP. It signs you in here and asks for this workspace; one that cannot do so takes a token instead.</p>` : none}
${endpoints.map((endpoint) => endpointBlock(endpoint))}
</section>`;
}

const none = html`<p class="empty">No MCP server here works with workspaces. The operator of this server adds one.</p>`;

function endpointBlock(endpoint: ShownEndpoint): Html {
  const { url, title } = endpoint;
  return html`<div class="endpoint"><h3>${foreign(title)}</h3>
${copyable(url)}
${clientConfigurations(endpoint).map((one) => clientBlock(one, endpoint.bearer))}
${!endpoint.bearer && html`<p class="sub">It takes only tokens that are bound to a key (DPoP): sign in with an app that supports that.</p>`}</div>`;
}

function clientBlock({ client, oauth, bearer }: ClientConfiguration, takesTokens: boolean): Html {
  return html`<details class="client"><summary>${client}</summary>
${oauth && html`<h4>Sign in</h4>${oauth.map((step) => stepBlock(step))}`}
${takesTokens && bearer && html`<h4>With a token</h4>${bearer.map((step) => stepBlock(step))}`}</details>`;
}

function stepBlock({ text, code }: Step): Html {
  return html`<p>${text}</p>${code !== undefined && copyable(code)}`;
}

/** Text to copy: a click selects the whole of it. */
export function copyable(text: string): Html {
  return html`<pre class="copy"><code>${text}</code></pre>`;
}
