import { html, type Page } from '../http/index.ts';

/** After the first owner was made: what to do next. */
export function ownerPage({ issuer }: { issuer: string }): Page {
  const body = html`<section>
<h1>You are the owner</h1>
<p>The account is ready, and the link that made it does not work any more.</p>
<p class="sub">Add this server’s issuer to an MCP server, connect any MCP client to it and sign in with this account when the client asks.</p>
<dl class="facts">
<dt>Issuer</dt><dd><code>${issuer}</code></dd>
</dl>
</section>
<div class="actions"><a class="button primary" href="${issuer}/account/">Open your account</a></div>`;
  return { title: 'You are the owner', body };
}
