import {
  ago,
  careIcon,
  foreign,
  type Html,
  html,
  inWords,
  type Page,
  plainText,
  problemNote,
  shorten,
} from '../http/index.ts';

type Scope = { name: string; description: string };

/** A personal access token as its owner sees it: never its value. */
export type ShownToken = {
  id: string;
  name: string;
  resource: { name: string; uri: string };
  /** its name */
  workspace?: string;
  scopes: Scope[];
  created: Date;
  expires: Date;
  expired: boolean;
  lastUsed?: Date;
  /** address of the server that asked about it */
  lastUsedThrough?: string;
};

/** The part of the account page about personal access tokens. */
export type TokensView = {
  tokens: ShownToken[];
  csrf: string;
  /** a page; absent where there is nothing that a token could be for */
  newUrl?: string;
  /** pages, where there are several things that a token could be for */
  links?: readonly { url: string; for: string }[];
  /** posts `csrf` and `token` */
  revokeAction: string;
  /** a page of ours, where the list is on another one than the account page; posted as `return_to` */
  returnTo?: string;
  now: Date;
};

/** Lists the tokens, each with a button that ends it. */
export function tokensSection(view: TokensView): Html {
  const { tokens, newUrl, links = [] } = view;
  const rows = html`<ul class="rows">${tokens.map((token) => row(token, view))}</ul>`;
  return html`<section id="tokens">
<h2>Personal access tokens</h2>
<p class="sub">For programs that cannot sign in by themselves. Whoever has one acts as you until it expires or you revoke it.</p>
${tokens.length > 0 ? rows : html`<p class="empty">There is no token. One appears here after you make it.</p>`}
${newUrl && html`<p class="more"><a class="button" href="${newUrl}">Make a token</a></p>`}
${links.length > 0 && html`<div class="buttons more">${links.map((link) => html`<a class="button small" href="${link.url}">Make a token for ${foreign(link.for)}</a>`)}</div>`}
</section>`;
}

function row(token: ShownToken, { csrf, revokeAction, returnTo, now }: TokensView): Html {
  const { resource, expired } = token;
  const label = `Revoke ${brief(token.name)} for ${brief(resource.name)}`;
  return html`<li class="app token"><div><h3>${foreign(token.name, 100)}</h3>${expired && html`<span class="chip warn">Expired</span>`}</div>
<dl class="facts">
<dt>For</dt><dd><div>${place(token)}</div><code>${foreign(resource.uri, 80)}</code></dd>
<dt>May</dt><dd>${token.scopes.map(inFull)}</dd>
<dt>Last used</dt><dd>${lastUse(token, now)}</dd>
<dt>${expired ? 'Expired' : 'Expires'}</dt><dd>${when(token.expires, now)}</dd>
<dt>Made</dt><dd>${when(token.created, now)}</dd>
</dl>
${!expired && html`<form method="post" action="${revokeAction}"><input type="hidden" name="csrf" value="${csrf}"><input type="hidden" name="token" value="${token.id}">${returnTo !== undefined && html`<input type="hidden" name="return_to" value="${returnTo}">`}<button class="small danger" aria-label="${label}">Revoke</button></form>`}</li>`;
}

function lastUse({ lastUsed, lastUsedThrough }: ShownToken, now: Date): Html {
  if (!lastUsed) return html`never`;
  const through = lastUsedThrough && html`, through <code>${lastUsedThrough}</code>`;
  return html`${when(lastUsed, now)}${through}`;
}

/** The first step where there is a choice: what the token shall be for. */
export type TokenResourceView = {
  /** gets `resource` */
  action: string;
  resources: { slug: string; name: string; uri: string }[];
  cancelUrl: string;
};

/** Asks what a token shall be for: one form with the radio `resource`, sent by GET. */
export function tokenResourcePage({ action, resources, cancelUrl }: TokenResourceView): Page {
  const choices = resources.map(
    ({ slug, name, uri }, at) => html`
<li><label><input type="radio" name="resource" value="${slug}" required${at === 0 && html` checked`}><span>${foreign(name, 160)}<code>${foreign(uri, 120)}</code></span></label></li>`,
  );
  const body = html`<form method="get" action="${action}">
<section>
<h1>Make a personal access token</h1>
<fieldset>
<legend><h2>It is for</h2></legend>
<ul class="choices">${choices}</ul>
</fieldset>
</section>
<div class="actions two"><a class="button" href="${cancelUrl}">Cancel</a><button class="primary">Continue</button></div>
</form>`;
  return { title: 'Make a token', body };
}

/** The form that makes a token. */
export type NewTokenView = {
  action: string;
  csrf: string;
  /** tells a form that was sent twice */
  once: string;
  resource: { slug: string; name: string; uri: string };
  /** given where the resource is workspace-scoped; `id` is what the radio sends */
  workspaces?: { id: string; name: string; detail: string; checked: boolean }[];
  /** those within the person's ceiling */
  scopes: (Scope & { checked: boolean })[];
  name: string;
  /** seconds */
  lives: number[];
  life: number;
  cancelUrl: string;
  now: Date;
  /** what was wrong with the form just sent */
  problem?: { field: string; sentence: string };
};

/**
 * One form with `name`, a checkbox `scope` per scope, a radio `workspace` where there is one to choose, the
 * select `expires` in seconds, and hidden inputs.
 */
export function newTokenPage(view: NewTokenView): Page {
  const { resource, problem, now } = view;
  const wrong = (field: string) =>
    problem?.field === field && html` aria-describedby="problem" aria-invalid="true"`;
  const scopes = view.scopes.map(
    ({ name, description, checked }) => html`
<li><label><input type="checkbox" name="scope" value="${name}"${checked && html` checked`}><span>${foreign(description, 160)}<code>${foreign(name, 80)}</code></span></label></li>`,
  );
  const lives = view.lives.map(
    (life) => html`
<option value="${life}"${life === view.life && html` selected`}>${inWords(life)}, until ${dateOf(life, now)}</option>`,
  );
  const body = html`<form method="post" action="${view.action}">
<input type="hidden" name="csrf" value="${view.csrf}">
<input type="hidden" name="once" value="${view.once}">
<input type="hidden" name="resource" value="${resource.slug}">
<section>
<h1>Make a token for ${foreign(resource.name)}</h1>
<p class="sub">It works at <code>${foreign(resource.uri, 120)}</code> and nowhere else.</p>
${problem && problemNote('problem', problem.sentence)}
<div class="field"><label for="name">Name</label><input id="name" name="name" type="text" autocomplete="off" maxlength="100" required value="${plainText(view.name)}"${wrong('name')}><small>Where you will use it, so that you know later which one to revoke.</small></div>
<fieldset${problem?.field === 'scope' && html` aria-describedby="problem"`}>
<legend><h2>It will be able to</h2></legend>
<ul class="${problem?.field === 'scope' ? 'choices bad' : 'choices'}">${scopes}</ul>
</fieldset>
${workspaceChoices(view)}
<div class="field"><label for="expires">Expires after</label><select id="expires" name="expires"${wrong('expires')}>${lives}</select></div>
</section>
<div class="actions two"><a class="button" href="${view.cancelUrl}">Cancel</a><button class="primary">Make token</button></div>
</form>`;
  return { title: 'Make a token', body };
}

function workspaceChoices({ workspaces, problem }: NewTokenView): Html {
  if (!workspaces) return html``;
  const isWrong = problem?.field === 'workspace';
  const rows = workspaces.map(
    ({ id, name, detail, checked }) => html`
<li><label><input type="radio" name="workspace" value="${id}" required${checked && html` checked`}><span>${foreign(name, 160)}<code>${foreign(detail, 80)}</code></span></label></li>`,
  );
  return html`<fieldset${isWrong && html` aria-describedby="problem"`}>
<legend><h2>In this workspace</h2></legend>
<ul class="${isWrong ? 'choices bad' : 'choices'}">${rows}</ul>
</fieldset>`;
}

/** The one page that ever shows the value of a token. */
export function tokenMadePage(view: {
  value: string;
  token: ShownToken;
  accountUrl: string;
  now: Date;
}): Page {
  const { value, token, accountUrl, now } = view;
  const body = html`<section>
<h1>Copy your token now</h1>
<p class="note warn" role="note">${careIcon()}<span>It is shown only this once. Treat it like a password: whoever has it acts as you at ${foreign(token.resource.name)}. If it gets into wrong hands, revoke it on your account page.</span></p>
<div class="field"><label for="token">${foreign(token.name, 100)}</label><textarea id="token" class="secret" rows="2" readonly autofocus spellcheck="false" autocomplete="off">${value}</textarea><small>Programs send it as <code>Authorization: Bearer …</code></small></div>
<dl class="facts">
<dt>For</dt><dd><div>${place(token)}</div><code>${foreign(token.resource.uri, 80)}</code></dd>
<dt>May</dt><dd>${token.scopes.map(inFull)}</dd>
<dt>Expires</dt><dd>${when(token.expires, now)}</dd>
</dl>
</section>
<div class="actions"><a class="button" href="${accountUrl}">Done</a></div>`;
  return { title: 'Your token', body };
}

function place({ resource, workspace }: ShownToken): Html {
  return html`${foreign(resource.name)}${workspace && html`, workspace ${foreign(workspace, 40)}`}`;
}

function inFull({ name, description }: Scope): Html {
  return html`<div>${foreign(description, 120)} <code>${foreign(name, 60)}</code></div>`;
}

function brief(text: string): string {
  return shorten(plainText(text), 60);
}

/** A time as seen from now, in either direction, with the exact one on hover. */
function when(time: Date, now: Date): Html {
  const exact = time.toISOString();
  const seen = time > now ? `in ${distance(time, now)}` : ago(time, now);
  return html`<time datetime="${exact}" title="${exact}">${seen}</time>`;
}

function distance(time: Date, now: Date): string {
  const seconds = Math.max(60, Math.round((time.getTime() - now.getTime()) / 1000));
  const unit = [86_400, 3_600, 60].find((size) => seconds >= size) ?? 60;
  return inWords(Math.round(seconds / unit) * unit);
}

function dateOf(life: number, now: Date): string {
  return new Date(now.getTime() + life * 1000).toISOString().slice(0, 10);
}
