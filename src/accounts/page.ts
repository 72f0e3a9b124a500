import {
  foreign,
  type Html,
  html,
  inWords,
  type Page,
  plainText,
  problemNote,
} from '../http/index.ts';

export { type AccountView, accountPage, type ConnectedApp } from './account-page.ts';

/** What the sign-in page shows. */
export type SignInView = {
  /** where the form posts to */
  action: string;
  csrf: string;
  /** what was typed before, or the client's `login_hint` */
  username?: string;
  /** what was wrong with the last attempt */
  problem?: SignInProblem;
  /** the client that waits, if one does */
  clientName?: string;
  resourceName?: string;
  /** a sentence: what it is for, where no client waits */
  note?: string;
  /** other ways to sign in: each a button of the form, `provider` with its slug */
  providers?: readonly { name: string; slug: string }[];
  /** whether a password is asked for; true unless told */
  local?: boolean;
};

/** `retryAfter` in seconds. The same words for an unknown account and a wrong password (T25). */
export type SignInProblem =
  | { kind: 'invalid' }
  | { kind: 'locked'; retryAfter: number }
  | { kind: 'expired' }
  | { kind: 'no_role' };

/** The sign-in page: one form with the inputs `username`, `password` and `csrf`. */
export function signInPage(view: SignInView): Page {
  const { problem, providers = [], local = true } = view;
  const body = html`<form method="post" action="${view.action}">
<input type="hidden" name="csrf" value="${view.csrf}">
<section>
<h1>Sign in</h1>
${purpose(view)}
${problem && problemNote('problem', signInProblem(problem))}
${local && credentials(view)}
${!local && providers.length === 0 && html`<p>Nobody can sign in here right now. Ask whoever runs this server.</p>`}
</section>
<div class="actions">${local && html`<button class="primary">Sign in</button>`}${
    local && providers.length > 0 && html`<p class="or">or</p>`
  }${providers.map(providerButton)}</div>
</form>`;
  return { title: 'Sign in', body };
}

function credentials({ username, problem }: SignInView): Html {
  const isWrong = problem?.kind === 'invalid';
  return html`${field({
    name: 'username',
    label: 'E-mail',
    autocomplete: 'username',
    inputmode: 'email',
    value: username,
    autofocus: !username,
    invalid: isWrong,
  })}
${field({
  name: 'password',
  label: 'Password',
  type: 'password',
  autocomplete: 'current-password',
  autofocus: Boolean(username),
  invalid: isWrong,
})}`;
}

function providerButton({ name, slug }: { name: string; slug: string }): Html {
  return html`<button class="button" name="provider" value="${slug}" formnovalidate>Continue with ${foreign(name, 40)}</button>`;
}

function purpose({ clientName, resourceName, note }: SignInView): Html {
  if (!clientName) return html`${note !== undefined && html`<p class="sub">${note}</p>`}`;
  const where = resourceName && html` to ${foreign(resourceName, 40)}`;
  return html`<p class="sub">to connect ${foreign(clientName)}${where}. You decide what it may do on the next page.</p>`;
}

function signInProblem(problem: SignInProblem): string {
  switch (problem.kind) {
    case 'invalid':
      return 'That e-mail and password do not belong together. Check both and try again.';
    case 'locked':
      return `Too many attempts. Wait ${inWords(wholeMinutes(problem.retryAfter))}, then try again.`;
    case 'expired':
      return 'This page was open for too long. Sign in again.';
    case 'no_role':
      return 'This account has no part in the administration. Ask an owner of this server for a role.';
  }
}

function wholeMinutes(seconds: number): number {
  return seconds < 60 ? Math.ceil(seconds) : Math.ceil(seconds / 60) * 60;
}

/** What the first owner's page shows. */
export type SetupView = {
  action: string;
  csrf: string;
  /** the one-time token; without it the page asks for it, for browsers that cannot read a fragment */
  token?: string;
  email?: string;
  name?: string;
  /** a sentence: what was wrong with the form just sent */
  problem?: string;
  /** characters a password must have */
  minPasswordLength: number;
};

/** Creates the first owner: one form with `email`, `name`, `password`, `token` and `csrf`. */
export function setupPage(view: SetupView): Page {
  const { token, minPasswordLength: least } = view;
  const body = html`<form method="post" action="${view.action}">
<input type="hidden" name="csrf" value="${view.csrf}">
${token !== undefined && html`<input type="hidden" name="token" value="${token}">`}
<section>
<h1>Create the first owner</h1>
<p class="sub">The owner signs in here, runs this server and adds everybody else.</p>
${view.problem && problemNote('problem', view.problem)}
${token === undefined && field({ name: 'token', label: 'Setup token', autocomplete: 'off', hint: 'The end of the setup link, after the #.' })}
${field({ name: 'email', label: 'E-mail', autocomplete: 'username', inputmode: 'email', value: view.email })}
${field({ name: 'name', label: 'Name', autocomplete: 'name', value: view.name })}
${field({
  name: 'password',
  label: 'Password',
  type: 'password',
  autocomplete: 'new-password',
  hint: `${least} characters or more; a sentence is easiest to remember.`,
})}
</section>
<div class="actions"><button class="primary">Create owner</button></div>
</form>`;
  return { title: 'Create the first owner', body, script: 'one-time-link.js' };
}

/** After signing out. Apps keep their own tokens, which people do not expect: the page says so. */
export function signedOutPage({ signInUrl }: { signInUrl: string }): Page {
  const body = html`<section>
<h1>You are signed out</h1>
<p>This browser is no longer signed in.</p>
<p class="sub">Connected apps keep their access. To end it, sign in and disconnect them on your account page.</p>
</section>
<div class="actions"><a class="button" href="${signInUrl}">Sign in again</a></div>`;
  return { title: 'Signed out', body };
}

/** A one-time link that was used before or is too old. Says which, never what it was for whom. */
export function linkUsedPage({ reason, next }: { reason: 'used' | 'expired'; next: string }): Page {
  const isUsed = reason === 'used';
  const body = html`<section>
<h1>${isUsed ? 'This link was used before' : 'This link is too old'}</h1>
<p>${isUsed ? 'It worked once and cannot be used again.' : 'It was good for a limited time only, which is over.'}</p>
<p class="sub">${next}</p>
</section>`;
  return { title: isUsed ? 'Link already used' : 'Link expired', body };
}

type Field = {
  name: string;
  label: string;
  autocomplete: string;
  type?: 'text' | 'password';
  inputmode?: 'email' | 'text';
  value?: string;
  hint?: string;
  autofocus?: boolean;
  invalid?: boolean;
};

export function field(options: Field): Html {
  const { name, label, hint, invalid, type = 'text', inputmode = 'text' } = options;
  const described = [hint && `${name}-hint`, invalid && 'problem'].filter(Boolean).join(' ');
  const typed =
    type === 'text' &&
    html` inputmode="${inputmode}" autocapitalize="none" spellcheck="false" value="${plainText(options.value ?? '')}"`;
  return html`<div class="field"><label for="${name}">${label}</label><input id="${name}" name="${name}" type="${type}" autocomplete="${options.autocomplete}" required${typed}${described && html` aria-describedby="${described}"`}${invalid && html` aria-invalid="true"`}${options.autofocus && html` autofocus`}>${hint && html`<small id="${name}-hint">${hint}</small>`}</div>`;
}
