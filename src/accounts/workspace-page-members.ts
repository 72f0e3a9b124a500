import { foreign, type Html, html, plainText, problemNote, shorten } from '../http/index.ts';
import { shownTime } from './shown-time.ts';
import type { WorkspaceRole } from './workspaces-policy.ts';

export type ShownMember = {
  id: string;
  email: string;
  name?: string;
  role: WorkspaceRole;
  since: Date;
  isSelf: boolean;
};

export type ShownInvitation = {
  id: string;
  email: string;
  role: WorkspaceRole;
  invitedBy?: string;
  created: Date;
  expires: Date;
};

/** Who is in a workspace, and who is invited. */
export type MembersView = {
  members: ShownMember[];
  /** address of the rest of the list */
  moreUrl?: string;
  /** what an admin sees; absent for others */
  admin?: {
    invitations: ShownInvitation[];
    /** what was typed, where the form was refused */
    typed?: { email: string; role: WorkspaceRole; problem: string };
  };
  /** address of the workspace page, under which the forms lie */
  url: string;
  csrf: string;
  now: Date;
};

/** Forms of an admin: `members/role` posts `user` and `role`, `invitations` posts `email` and `role`. */
export function membersSection(view: MembersView): Html {
  const { members, moreUrl, admin } = view;
  return html`<section id="members">
<h2>Members</h2>
<p class="sub">${admin ? 'What somebody granted or made for this workspace ends when they leave it.' : 'Admins invite people and decide who is one.'}</p>
<ul class="rows">${members.map((member) => memberRow(member, view))}</ul>
${moreUrl && html`<p class="more"><a class="button" href="${moreUrl}">More members</a></p>`}
</section>${admin && invitationsSection(view, admin)}`;
}

function memberRow(member: ShownMember, view: MembersView): Html {
  const { id, email, name, role, since, isSelf } = member;
  const path = `${view.url}/members/${encodeURIComponent(id)}/remove`;
  const leave = html`<a class="button small danger" href="${view.url}/leave">Leave</a>`;
  const actions = view.admin
    ? html`${roleForm(member, view)}${isSelf ? leave : html`<a class="button small danger" href="${path}" aria-label="Remove ${brief(name ?? email)}">Remove</a>`}`
    : isSelf && leave;
  return html`<li class="app member"><div><h3>${foreign(name ?? email, 60)}${isSelf && html` <span class="you">(you)</span>`}</h3><p class="sub">${name !== undefined && html`${foreign(email, 60)} · `}${roleName(role)} · since ${shownTime(since, view.now)}</p></div>${actions && html`<div class="buttons">${actions}</div>`}</li>`;
}

function roleForm({ id, email, name, role }: ShownMember, { url, csrf }: MembersView): Html {
  const other: WorkspaceRole = role === 'admin' ? 'member' : 'admin';
  const words = other === 'admin' ? 'Make admin' : 'Make member';
  return html`<form method="post" action="${url}/members/role"><input type="hidden" name="csrf" value="${csrf}"><input type="hidden" name="user" value="${id}"><input type="hidden" name="role" value="${other}"><button class="small" aria-label="${words}: ${brief(name ?? email)}">${words}</button></form>`;
}

function invitationsSection(
  { url, csrf, now }: MembersView,
  { invitations, typed }: NonNullable<MembersView['admin']>,
): Html {
  const rows = invitations.map(
    ({ id, email, role, invitedBy, created, expires }) =>
      html`<li class="app"><div><h3>${foreign(email, 60)}</h3><p class="sub">As ${asRole(role)}${invitedBy !== undefined && html`, by ${foreign(invitedBy, 60)}`}, ${shownTime(created, now)}; works ${expiry(expires, now)}</p></div><form method="post" action="${url}/invitations/revoke"><input type="hidden" name="csrf" value="${csrf}"><input type="hidden" name="invitation" value="${id}"><button class="small danger" aria-label="Take back the invitation for ${brief(email)}">Take back</button></form></li>`,
  );
  const wrong = typed && html` aria-describedby="problem" aria-invalid="true"`;
  return html`<section id="invitations">
<h2>Invitations</h2>
${rows.length > 0 && html`<ul class="rows">${rows}</ul>`}
${typed && problemNote('problem', typed.problem)}
<form method="post" action="${url}/invitations" class="inline"><input type="hidden" name="csrf" value="${csrf}">
<div class="field"><label for="email">E-mail</label><input id="email" name="email" type="text" inputmode="email" autocomplete="off" autocapitalize="none" spellcheck="false" maxlength="254" required value="${plainText(typed?.email ?? '')}"${wrong}></div>
<div class="field"><label for="role">Role</label><select id="role" name="role"><option value="member"${typed?.role !== 'admin' && html` selected`}>Member</option><option value="admin"${typed?.role === 'admin' && html` selected`}>Admin</option></select></div>
<button>Invite</button>
</form>
<p class="sub">Makes a link that works once, for seven days, for this address only. No mail is sent: you give it to the person.</p>
</section>`;
}

function expiry(expires: Date, now: Date): Html {
  return html`for ${shownTime(expires, now, 'bare')}`;
}

/** The role in a word. */
export function roleName(role: WorkspaceRole): string {
  return role === 'admin' ? 'Admin' : 'Member';
}

/** The role in a sentence. */
export function asRole(role: WorkspaceRole): string {
  return role === 'admin' ? 'an admin' : 'a member';
}

function brief(text: string): string {
  return shorten(plainText(text), 60);
}
