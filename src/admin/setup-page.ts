import { html, type Page } from '../http/index.ts';

/** After the first owner was made: what to do next. */
export function ownerPage({ issuer }: { issuer: string }): Page {
  const body = html`<section>
<h1>You are the owner</h1>
<p>The account is ready, and the link that made it does not work any more.</p>
<p class="sub">In the console you register MCP servers, invite people and see who connects. Give your MCP servers this issuer.</p>
<dl class="facts">
<dt>Issuer</dt><dd><code>${issuer}</code></dd>
</dl>
</section>
<div class="actions two"><a class="button" href="${issuer}/account/">Your account</a><a class="button primary" href="/admin/ui/">Open the console</a></div>`;
  return { title: 'You are the owner', body };
}
