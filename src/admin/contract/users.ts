import { z } from 'zod';
import { byId, exact, pageOf, paging, plain, route, search, time, version } from './route.ts';

const role = z.enum(['viewer', 'operator', 'owner']);
const status = z.enum(['active', 'disabled']);
const groups = z.array(z.string().min(1).max(200)).max(100);

/** A person with an account. Never a password or its hash. */
export const user = z.strictObject({
  id: z.string().describe('`sub` of their tokens'),
  email: z.string(),
  name: z.string().nullable(),
  role: role.nullable().describe('Null: no part in the administration'),
  groups: z.array(z.string()),
  status,
  source: z.string().describe('Who made it: `config`, `admin`, `cli`, `setup` or `issuer`'),
  created_at: time,
  updated_at: time,
  last_login_at: time.nullable(),
});

/** A person with all that hangs on them. */
export const userDetail = user.extend({
  version,
  has_password: z.boolean().describe('False: invited, or signs in at an identity provider only'),
  locked_until: time.nullable().describe('Too many wrong passwords: no sign-in until then'),
  sessions: z.int().describe('Browsers signed in now, administration included'),
  identities: z.array(
    z.strictObject({
      issuer: z.string(),
      subject: z.string(),
      created_at: time,
      last_used_at: time.nullable(),
    }),
  ),
  workspaces: z.array(
    z.strictObject({ id: z.string(), slug: z.string(), name: z.string(), role: z.string() }),
  ),
});

const link = z.strictObject({
  url: z.string().describe('Shown this once; hand it to the person in a way you trust'),
  expires_at: time,
});

const identity = {
  issuer: z.url().max(2048).describe('Its `iss`, byte for byte'),
  subject: z.string().min(1).max(255).describe('`sub` of the person there'),
};

const newUser = userDetail.extend({
  invite: link
    .nullable()
    .describe('How they choose a password; null when one was given or no invitation wanted'),
});

const verb = { ...plain, method: 'POST', permission: 'operator', params: byId } as const;

/** People. */
export const users = {
  list: route({
    ...plain,
    name: 'users.list',
    method: 'GET',
    path: '/admin/api/users',
    permission: 'viewer',
    summary: 'List people',
    query: z.strictObject({
      ...paging,
      ...search('id, e-mail address or name'),
      sort: z.enum(['-created_at', 'created_at', 'email', '-email']).default('-created_at'),
      role: z.enum(['viewer', 'operator', 'owner', 'none']).optional(),
      status: status.optional(),
      group: exact.describe('Members of this group'),
    }),
    answer: pageOf(user),
  }),
  get: route({
    ...plain,
    name: 'users.get',
    method: 'GET',
    path: '/admin/api/users/{id}',
    permission: 'viewer',
    summary: 'One person',
    params: byId,
    answer: userDetail,
  }),
  create: route({
    ...plain,
    name: 'users.create',
    method: 'POST',
    path: '/admin/api/users',
    permission: 'operator',
    summary: 'Add a person; without a password answers an invitation link, this once',
    body: z.strictObject({
      email: z.string().min(1).max(254),
      name: z.string().max(200).optional(),
      password: z.string().min(1).max(1024).optional(),
      role: role.optional().describe('Only owners may give one'),
      groups: groups.optional(),
      invite: z
        .boolean()
        .default(true)
        .describe('`false`: no invitation for who signs in at an identity provider only'),
    }),
    answer: newUser,
    status: 201,
  }),
  update: route({
    ...plain,
    name: 'users.update',
    method: 'PATCH',
    path: '/admin/api/users/{id}',
    permission: 'operator',
    summary: 'Change the name, groups or role of a person; what is left out stays',
    params: byId,
    body: z.strictObject({
      name: z.string().max(200).nullable().optional(),
      groups: groups.optional(),
      role: role.nullable().optional().describe('Only owners may change it'),
    }),
    answer: userDetail,
    conditional: true,
  }),
  disable: route({
    ...verb,
    name: 'users.disable',
    path: '/admin/api/users/{id}/disable',
    summary: 'End all that a person has here: sessions and tokens, and sign-in from now on',
    answer: userDetail,
  }),
  enable: route({
    ...verb,
    name: 'users.enable',
    path: '/admin/api/users/{id}/enable',
    summary: 'Let a disabled person sign in again',
    answer: userDetail,
  }),
  signOut: route({
    ...verb,
    name: 'users.sign-out',
    path: '/admin/api/users/{id}/sign-out',
    summary: 'Sign a person out of every browser; connected apps keep their access',
    answer: userDetail.extend({ ended: z.int().describe('Sessions that ended just now') }),
  }),
  unlock: route({
    ...verb,
    name: 'users.unlock',
    path: '/admin/api/users/{id}/unlock',
    summary: 'Let a person who typed too many wrong passwords try again now',
    answer: userDetail,
  }),
  resetLink: route({
    ...verb,
    name: 'users.reset-link',
    path: '/admin/api/users/{id}/reset-link',
    summary: 'Make a one-time link, good for an hour, that sets a new password',
    answer: link,
    status: 201,
  }),
  invite: route({
    ...verb,
    name: 'users.invite',
    path: '/admin/api/users/{id}/invite',
    summary: 'Make another invitation link, good for three days, for a person without a password',
    answer: link,
    status: 201,
  }),
  setPassword: route({
    ...verb,
    name: 'users.set-password',
    path: '/admin/api/users/{id}/set-password',
    permission: 'owner',
    summary: 'Give a person another password, and sign them out of every browser',
    body: z.strictObject({ password: z.string().min(1).max(1024) }),
    answer: userDetail,
  }),
  link: route({
    ...plain,
    name: 'users.link',
    method: 'POST',
    path: '/admin/api/users/{id}/identities',
    permission: 'owner',
    summary: 'Say who a person is at an identity provider or trusted issuer',
    params: byId,
    body: z.strictObject(identity),
    answer: userDetail,
    status: 201,
  }),
  unlink: route({
    ...plain,
    name: 'users.unlink',
    method: 'DELETE',
    path: '/admin/api/users/{id}/identities',
    permission: 'owner',
    summary: 'Forget who a person is at an identity provider or trusted issuer',
    params: byId,
    query: z.strictObject(identity),
    answer: userDetail,
  }),
};

export const userSchemas = {
  User: user,
  UserDetail: userDetail,
  NewUser: newUser,
  OneTimeLink: link,
};
