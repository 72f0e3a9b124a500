import { foreign, type Html, html } from '../http/index.ts';
import type { WorkspaceRole } from './workspaces-policy.ts';

/** A person's workspaces, on the account page. */
export function workspacesSection(
  workspaces: readonly { slug: string; name: string; role: WorkspaceRole; url: string }[],
): Html {
  const rows = workspaces.map(
    ({ slug, name, role, url }) =>
      html`<li class="app"><div><h3><a href="${url}">${foreign(name, 80)}</a></h3><p class="sub"><code>${slug}</code></p></div><span class="chip">${role === 'admin' ? 'Admin' : 'Member'}</span></li>`,
  );
  return html`<section id="workspaces">
<h2>Your workspaces</h2>
<p class="sub">Open one to connect a client to it, and to see who and what is connected.</p>
<ul class="rows">${rows}</ul>
</section>`;
}
