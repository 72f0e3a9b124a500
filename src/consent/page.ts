import {
  careIcon,
  foreign,
  type Html,
  html,
  inWords,
  type Page,
  type Provenance,
  plainText,
  problemNote,
  provenanceChip,
} from '../http/index.ts';
import { deviceDestination } from './device-page.ts';

// Never shortened: the end of a host name says whose it is, and DNS allows 253 characters.
const hostLength = 260;

/** Everything the consent page shows, as plain data. */
export type ConsentView = {
  /** where the form posts to */
  action: string;
  csrf: string;
  client: { name: string; known: Provenance };
  /** `redirectHost` of this request's redirect URI */
  redirect: { host: string; onThisComputer: boolean };
  /** given where the access goes to a device (RFC 8628), not back to a redirect URI: the code that it shows */
  device?: { userCode: string };
  resource: { name: string; uri: string };
  /** never with `offline_access`: it has no box */
  scopes: {
    name: string;
    description: string;
    /** in words: what it implies besides, and has no box of its own */
    includes?: readonly string[];
    checked?: boolean;
  }[];
  /** given where the resource is workspace-scoped; `id` is what the radio sends */
  workspaces?: { id: string; name: string; detail?: string; checked?: boolean }[];
  account: { email: string; switchUrl: string };
  /** in seconds; without `refresh` access ends with the token */
  lasts: {
    access: number;
    refresh?: { idle: number; absolute: number };
    /** The client may exchange other tokens of this person for this resource as long as the consent stands. */
    untilEnded?: boolean;
  };
  /** the page that lists connected apps */
  accountUrl: string;
  /** what was wrong with the form just sent */
  problem?: 'no-scope' | 'no-workspace' | 'not-in-workspace';
};

/**
 * Asks a person whether a client may act for them: who, what, where it goes, for how long. Inputs are
 * `scope`, `workspace`, `decision` (`approve` or `deny`, deny first so that Enter never approves) and `csrf`.
 */
export function consentPage(view: ConsentView): Page {
  const { client, resource } = view;
  const body = html`<form method="post" action="${view.action}">
<input type="hidden" name="csrf" value="${view.csrf}">
${accountBar(view.account)}
<section>
<h1>${foreign(client.name)} wants to use ${foreign(resource.name)}</h1>
${provenanceChip(client.known)}
<p class="sub">${foreign(resource.name)} is the MCP server at <code>${foreign(resource.uri, 120)}</code>.</p>
${scopeChoices(view)}
${workspaceChoices(view)}
${view.device ? deviceDestination(view.device) : destination(view)}
<p class="lasts">${duration(view.lasts)} You can end it any time under <a href="${view.accountUrl}">Connected apps</a>.</p>
</section>
<div class="actions two"><button name="decision" value="deny">Deny</button><button class="primary" name="decision" value="approve">Approve</button></div>
</form>`;
  return { title: 'Approve access', body };
}

function accountBar({ email, switchUrl }: ConsentView['account']): Html {
  const initial = plainText(email).slice(0, 1).toUpperCase();
  return html`<div class="account"><span class="avatar" aria-hidden="true">${initial}</span><span>Signed in as <b>${foreign(email, 48)}</b></span><a href="${switchUrl}">Switch<span class="hidden"> account</span></a></div>`;
}

function scopeChoices({ scopes, problem }: ConsentView): Html {
  const isEmpty = problem === 'no-scope';
  const rows = scopes.map(({ name, description, includes, checked = true }) =>
    choice({ type: 'checkbox', field: 'scope', value: name, checked, includes }, description, name),
  );
  return html`<fieldset${isEmpty && html` aria-describedby="problem"`}>
<legend><h2>It will be able to</h2></legend>
${isEmpty && problemNote('problem', 'Tick at least one box to approve, or choose Deny.')}
<ul class="${isEmpty ? 'choices bad' : 'choices'}">${rows}</ul>
</fieldset>`;
}

function workspaceChoices({ workspaces, problem }: ConsentView): Html {
  if (!workspaces) return html``;
  const wrong = workspaceProblem(problem);
  const rows = workspaces.map(({ id, name, detail, checked = false }) =>
    choice({ type: 'radio', field: 'workspace', value: id, checked }, name, detail),
  );
  return html`<fieldset${wrong && html` aria-describedby="problem"`}>
<legend><h2>In this workspace</h2></legend>
${wrong && problemNote('problem', wrong)}
<ul class="${wrong ? 'choices bad' : 'choices'}">${rows}</ul>
</fieldset>`;
}

function workspaceProblem(problem: ConsentView['problem']): string | undefined {
  if (problem === 'no-workspace') return 'Choose the workspace that it may use, or choose Deny.';
  if (problem !== 'not-in-workspace') return undefined;
  return 'Your role in this workspace allows none of the ticked boxes. Tick others, or choose another workspace.';
}

type Choice = {
  type: 'checkbox' | 'radio';
  field: string;
  value: string;
  checked: boolean;
  includes?: readonly string[] | undefined;
};

function choice(
  { type, field, value, checked, includes = [] }: Choice,
  text: string,
  detail?: string,
): Html {
  return html`
<li><label><input type="${type}" name="${field}" value="${value}"${checked && html` checked`}><span>${foreign(text, 160)}${includes.map((one) => html`<small>Also: ${foreign(one, 160)}</small>`)}${detail && html`<code>${foreign(detail, 80)}</code>`}</span></label></li>`;
}

function destination({ client, redirect }: ConsentView): Html {
  return html`<h2 class="label">You will be sent back to</h2>
<div class="return"><p class="host">${foreign(redirect.host, hostLength)}</p>
${redirect.onThisComputer && localWarning}
${isElsewhere(client.known, redirect) && html`<p class="sub">Another host than the one that names this app.</p>`}</div>`;
}

const localWarning = html`<p class="note warn" role="note">${careIcon()}<span>This is a program on your own computer, and any program here could be waiting there. Approve only if you just started the connection yourself.</span></p>`;

function isElsewhere(
  known: Provenance,
  { host, onThisComputer }: ConsentView['redirect'],
): boolean {
  if (known.kind !== 'cimd' || onThisComputer) return false;
  return host !== known.host && !host.endsWith(`.${known.host}`);
}

function duration({ access, refresh, untilEnded }: ConsentView['lasts']): string {
  if (untilEnded) return 'Lasts until you end it.';
  if (!refresh) return `Lasts ${inWords(access)}.`;
  const { idle, absolute } = refresh;
  return `Lasts while it is used at least every ${inWords(idle)}, at most ${inWords(absolute)}.`;
}
