import { careIcon, foreign, type Html, html, type Page } from '../http/index.ts';
import { mcpJson } from './client-configurations.ts';
import { shownTime } from './shown-time.ts';
import { copyable, type ShownEndpoint } from './workspace-page-connect.ts';

/** A question before something ends: one form that posts `csrf` and the hidden fields. */
export type ConfirmView = {
  question: Html;
  /** what happens, one sentence each */
  consequences: readonly (Html | string)[];
  action: string;
  hidden: Readonly<Record<string, string>>;
  csrf: string;
  /** on the button that does it */
  act: string;
  /** where nothing that works ends */
  harmless?: boolean;
  cancelUrl: string;
};

export function confirmPage(view: ConfirmView): Page {
  const hidden = Object.entries({ csrf: view.csrf, ...view.hidden });
  const body = html`<section>
<h1>${view.question}</h1>
<ul class="plain">${view.consequences.map((one) => html`<li>${one}</li>`)}</ul>
</section>
<form method="post" action="${view.action}">${hidden.map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}
<div class="actions two"><a class="button" href="${view.cancelUrl}">Cancel</a><button class="${view.harmless ? 'primary' : 'danger'}">${view.act}</button></div></form>`;
  return { title: view.act, body };
}

/** What a member takes along when they go. */
export type Leaving = { connections: number; tokens: number; credentials: number };

/** What ends with a membership, in sentences. */
export function whatEnds(whose: 'your' | 'their', ends: Leaving): string[] {
  const counted: [number, string][] = [
    [ends.connections, 'connection'],
    [ends.tokens, 'personal access token'],
    [ends.credentials, 'workspace credential'],
  ];
  const parts = counted
    .filter(([count]) => count > 0)
    .map(([count, what]) => `${count} ${what}${count === 1 ? '' : 's'}`);
  if (parts.length === 0)
    return [`Nothing of ${whose === 'your' ? 'yours' : 'theirs'} is connected to it now.`];
  const list = parts.length > 1 ? `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}` : parts[0];
  return [`This ends ${whose} ${list} at once.`, 'Coming back does not bring them back.'];
}

/** Shows a workspace credential, this once. */
export type CredentialMadeView = {
  value: string;
  endpoint: ShownEndpoint;
  workspaceName: string;
  /** posts `csrf`, `credential` and `resource`, and answers a file */
  envAction: string;
  /** what `resource` is in that form */
  envResource: string;
  csrf: string;
  backUrl: string;
  /** whether one before it has just died */
  replaced: boolean;
};

/** The one page that ever shows the value of a workspace credential. */
export function credentialMadePage(view: CredentialMadeView): Page {
  const { value, endpoint, workspaceName, replaced } = view;
  const body = html`<section>
<h1>Copy the token now</h1>
<p class="note warn" role="note">${careIcon()}<span>It is shown only this once. Whoever has it can use ${foreign(endpoint.title)} in ${foreign(workspaceName, 60)} until somebody revokes it.${replaced && ' The one before it does not work any more.'}</span></p>
<div class="field"><label for="token">Token</label><textarea id="token" class="secret" rows="2" readonly autofocus spellcheck="false" autocomplete="off">${value}</textarea><small>Clients send it as <code>Authorization: Bearer …</code></small></div>
<h2 class="gap">In .mcp.json</h2>
${copyable(mcpJson(endpoint, value))}
</section>
<div class="actions two"><a class="button" href="${view.backUrl}">Done</a>
<form method="post" action="${view.envAction}"><input type="hidden" name="csrf" value="${view.csrf}"><input type="hidden" name="resource" value="${view.envResource}"><input type="hidden" name="credential" value="${value}"><button class="primary">Download .env</button></form></div>`;
  return { title: 'Token', body };
}

/** What the confirmation of a regeneration says of the credential that dies. */
export function whatBreaks(
  current: { id: string; lastUsed?: Date; lastUsedThrough?: string } | undefined,
  now: Date,
): (Html | string)[] {
  const untouched = 'Apps that signed in, and tokens of single connectors, go on working.';
  if (!current)
    return ['It works in this workspace until somebody revokes or regenerates it.', untouched];
  const { id, lastUsed, lastUsedThrough } = current;
  const through = lastUsedThrough && html` through <code>${lastUsedThrough}</code>`;
  return [
    html`Every client that uses <code>${id}</code> stops working at once.`,
    lastUsed
      ? html`It was last used ${shownTime(lastUsed, now)}${through}.`
      : 'Nobody has used it so far.',
    untouched,
  ];
}
