import { foreign, type Html, html, type Page, problemNote } from '../http/index.ts';
import { field } from './page.ts';
import { shownTime } from './shown-time.ts';
import { asRole } from './workspace-page-members.ts';
import type { WorkspaceRole } from './workspaces-policy.ts';

/** What an invitation says to whoever has its link. */
export type ShownInvite = {
  workspaceName: string;
  email: string;
  role: WorkspaceRole;
  invitedBy?: string;
};

/** The page that shows the link of an invitation, once. */
export function invitationMadePage(view: {
  url: string;
  email: string;
  role: WorkspaceRole;
  workspaceName: string;
  expires: Date;
  backUrl: string;
  now: Date;
}): Page {
  const { url, email, role, workspaceName, expires, now } = view;
  const body = html`<section>
<h1>Give this link to ${foreign(email, 60)}</h1>
<p class="sub">No mail is sent. The link is shown only this once; you can take it back on the workspace page.</p>
<div class="field"><label for="link">Link</label><textarea id="link" class="secret" rows="3" readonly autofocus spellcheck="false" autocomplete="off">${url}</textarea></div>
<dl class="facts">
<dt>Workspace</dt><dd>${foreign(workspaceName, 80)}, as ${asRole(role)}</dd>
<dt>For</dt><dd>the account with the address ${foreign(email, 80)}, and no other</dd>
<dt>Works</dt><dd>once, for ${shownTime(expires, now, 'bare')}</dd>
</dl>
</section>
<div class="actions"><a class="button" href="${view.backUrl}">Done</a></div>`;
  return { title: 'Invitation', body };
}

/** Signed in as the person who is invited: one form that posts `csrf`. */
export function acceptInvitationPage(view: {
  invite: ShownInvite;
  /** who is signed in */
  email: string;
  action: string;
  csrf: string;
  cancelUrl: string;
}): Page {
  const { invite, email, action, csrf, cancelUrl } = view;
  const body = html`<section>
<h1>Join ${foreign(invite.workspaceName, 60)}?</h1>
<p>${by(invite)} you to be ${asRole(invite.role)} of this workspace.</p>
<p class="sub">You join as ${foreign(email, 60)}. Its members see your name and your e-mail address; its admins also see which apps you connect to it.</p>
</section>
<form method="post" action="${action}"><input type="hidden" name="csrf" value="${csrf}">
<div class="actions two"><a class="button" href="${cancelUrl}">Not now</a><button class="primary" name="act" value="join">Join</button></div></form>`;
  return { title: 'Invitation', body };
}

/** Signed in as somebody else: says so, and offers to switch. */
export function otherAddressPage(view: {
  invite: ShownInvite;
  email: string;
  action: string;
  csrf: string;
  accountUrl: string;
}): Page {
  const { invite, email, action, csrf, accountUrl } = view;
  const body = html`<section>
<h1>This invitation is for somebody else</h1>
<p>It is for ${foreign(invite.email, 80)}, and you are signed in as ${foreign(email, 80)}.</p>
<p class="sub">If both are yours, switch the account. If not, nothing has happened, and the link still works.</p>
</section>
<form method="post" action="${action}"><input type="hidden" name="csrf" value="${csrf}">
<div class="actions two"><a class="button" href="${accountUrl}">Stay</a><button class="primary" name="act" value="switch">Switch account</button></div></form>`;
  return { title: 'Invitation', body };
}

/** Nobody is signed in: a way to sign in and, where there may be none yet, the form that makes an account. */
export function openInvitationPage(view: {
  invite: ShownInvite;
  signInUrl: string;
  /** absent where an account is made nowhere or elsewhere; posts `csrf` and `password` */
  join?: { action: string; csrf: string; minPasswordLength: number; problem?: string | undefined };
}): Page {
  const { invite, signInUrl, join } = view;
  const form = join && newAccount(join, invite.email);
  const body = html`<section>
<h1>Join ${foreign(invite.workspaceName, 60)}</h1>
<p>${by(invite)} you to be ${asRole(invite.role)} of this workspace, as ${foreign(invite.email, 80)}.</p>
${!join && html`<p class="sub">Sign in with the account that has this address. You come back here and decide.</p>`}
</section>
${form}
<div class="actions">${join && html`<p class="or">or</p>`}<a class="${join ? 'button' : 'button primary'}" href="${signInUrl}">${join ? 'Sign in to an account that you have' : 'Sign in'}</a></div>`;
  return { title: 'Invitation', body };
}

function newAccount(
  {
    action,
    csrf,
    minPasswordLength: least,
    problem,
  }: { action: string; csrf: string; minPasswordLength: number; problem?: string | undefined },
  email: string,
): Html {
  return html`<form method="post" action="${action}"><input type="hidden" name="csrf" value="${csrf}"><input type="hidden" name="act" value="create">
<section>
<h2>New here? Choose a password</h2>
${problem !== undefined && problemNote('problem', problem)}
<div class="field"><label for="username">E-mail</label><input id="username" type="text" value="${email}" readonly autocomplete="username"></div>
${field({
  ...{ name: 'password', label: 'Password', type: 'password', autocomplete: 'new-password' },
  hint: `${least} characters or more; a sentence is easiest to remember.`,
  invalid: problem !== undefined,
})}
</section>
<div class="actions"><button class="primary">Make an account and join</button></div></form>`;
}

/** A used, expired, revoked or guessed link: all look the same (BF05). */
export function deadInvitationPage({ accountUrl }: { accountUrl: string }): Page {
  const body = html`<section>
<h1>This invitation does not work</h1>
<p>An invitation works once and for seven days, and ends when it is taken back.</p>
<p class="sub">Ask for a new one. If you have joined with it already, the workspace is on your account page.</p>
</section>
<div class="actions"><a class="button" href="${accountUrl}">Your account</a></div>`;
  return { title: 'Invitation', body };
}

function by({ invitedBy }: ShownInvite): Html {
  return invitedBy === undefined
    ? html`The operator of this server invites`
    : html`${foreign(invitedBy, 60)} invites`;
}
