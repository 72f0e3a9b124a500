import { describe, expect, it } from 'vitest';
import { clientConfigurations, mcpJson } from './client-configurations.ts';
import {
  acceptInvitationPage,
  invitationMadePage,
  openInvitationPage,
  otherAddressPage,
} from './invitation-pages.ts';
import {
  confirmPage,
  credentialMadePage,
  whatBreaks,
  whatEnds,
} from './workspace-confirm-pages.ts';
import { type WorkspaceView, workspacePage } from './workspace-page.ts';
import { serversSection } from './workspace-page-servers.ts';
import { workspacesSection } from './workspaces-section.ts';

const evil = `"><img src=x onerror=alert(1)>\u202E'{{7*7}}\${7*7}${'x'.repeat(10_000)}`;
const now = new Date('2026-11-21T09:00:00Z');
const earlier = new Date('2026-11-21T06:00:00Z');
const endpoint = {
  url: 'https://files.test/mcp',
  name: 'acme-files',
  title: 'Files',
  bearer: true,
};

const view: WorkspaceView = {
  user: { email: 'ada@example.test' },
  workspace: { id: 'uuid', slug: 'acme', name: 'Acme Inc.', role: 'admin' },
  endpoints: [endpoint],
  members: {
    members: [
      { id: 'usr_ada', email: 'ada@example.test', role: 'admin', since: earlier, isSelf: true },
      {
        id: 'usr_bob',
        email: 'bob@example.test',
        name: 'Bob',
        role: 'member',
        since: earlier,
        isSelf: false,
      },
    ],
    admin: { invitations: [] },
  },
  connectors: [],
  credentials: [],
  tokens: { tokens: [], revokeAction: '/revoke', links: [] },
  servers: [],
  url: '/account/workspaces/acme',
  accountUrl: '/account',
  signOutAction: '/logout',
  csrf: { workspace: 'w', account: 'a' },
  now,
};

const hostile: WorkspaceView = {
  ...view,
  user: { email: evil, name: evil },
  workspace: { ...view.workspace, name: evil },
  endpoints: [{ url: evil, name: evil, title: evil, bearer: true }],
  members: {
    members: [{ id: evil, email: evil, name: evil, role: 'member', since: earlier, isSelf: false }],
    moreUrl: evil,
    admin: {
      invitations: [
        { id: evil, email: evil, role: 'member', invitedBy: evil, created: earlier, expires: now },
      ],
      typed: { email: evil, role: 'member', problem: evil },
    },
  },
  connectors: [
    {
      ...{ id: evil, name: evil, by: evil, since: earlier, lastUsed: earlier },
      ...{ known: { kind: 'cimd', host: evil }, lastUsedThrough: evil },
      ...{ resource: { name: evil, uri: evil }, scopes: [evil] },
    },
    {
      ...{ id: evil, name: evil, since: earlier, resource: { name: evil, uri: evil } },
      known: { kind: 'credential', through: evil },
    },
  ],
  credentials: [
    {
      ...{ slug: evil, title: evil, uri: evil },
      current: { id: evil, by: evil, since: earlier, lastUsed: earlier, lastUsedThrough: evil },
    },
  ],
  tokens: { tokens: [], revokeAction: evil, returnTo: evil, links: [{ url: evil, for: evil }] },
  servers: [{ connectUrl: evil, name: evil, url: evil, status: 'disconnected' }],
  done: evil,
  problem: evil,
};

function expectInert(markup: string): void {
  expect(markup).not.toContain('<img');
  expect(markup.replace(/="[^"]*"/g, '')).not.toMatch(/<[a-z][^>]*onerror/);
  expect(markup).not.toContain('49');
}

const invite = { workspaceName: evil, email: evil, role: 'member', invitedBy: evil } as const;
const posted = { action: evil, csrf: evil };

describe('no name of a stranger is markup (XS02)', () => {
  it.each([
    ['the page of a workspace', () => workspacePage(hostile).body],
    [
      'the list on the account page',
      () => workspacesSection([{ slug: evil, name: evil, role: 'admin', url: evil }]),
    ],
    [
      'a new invitation',
      () => invitationMadePage({ ...invite, url: evil, expires: now, backUrl: evil, now }).body,
    ],
    [
      'an invitation to accept',
      () => acceptInvitationPage({ invite, email: evil, ...posted, cancelUrl: evil }).body,
    ],
    [
      'an invitation for somebody else',
      () => otherAddressPage({ invite, email: evil, ...posted, accountUrl: evil }).body,
    ],
    [
      'an invitation for somebody new',
      () =>
        openInvitationPage({
          ...{ invite, signInUrl: evil },
          join: { ...posted, minPasswordLength: 10, problem: evil },
        }).body,
    ],
    [
      'a question',
      () =>
        confirmPage({
          ...{ question: workspacePage(hostile).body, consequences: [evil], ...posted },
          ...{ hidden: { [evil]: evil }, act: evil, cancelUrl: evil },
        }).body,
    ],
    [
      'a credential',
      () =>
        credentialMadePage({
          ...{ value: evil, endpoint: { url: evil, name: evil, title: evil, bearer: true } },
          ...{ workspaceName: evil, envAction: evil, envResource: evil, csrf: evil, backUrl: evil },
          replaced: true,
        }).body,
    ],
  ])('%s', (_what, body) => expectInert(body().toString()));
});

describe('the page of a workspace', () => {
  const markup = workspacePage(view).body.toString();

  it('names every button for screen readers, and has no two with the same name', () => {
    const labels = [...markup.matchAll(/aria-label="([^"]*)"/g)].map(([, label]) => label);
    expect(labels).toContain('Make admin: Bob');
    expect(labels).toContain('Remove Bob');
    expect(new Set(labels).size).toBe(labels.length);
  });

  it('has headings in order and every place that it jumps to', () => {
    const levels = [...markup.matchAll(/<h(\d)/g)].map(([, level]) => Number(level));
    levels.reduce((before, level) => {
      expect(level - before).toBeLessThanOrEqual(1);
      return level;
    }, 0);
    for (const [, id] of markup.matchAll(/<a href="#([^"]*)"/g)) {
      expect(markup).toContain(`<section id="${id}">`);
    }
  });

  it('says what is not there yet, and how it comes to be', () => {
    expect(markup).toContain('Nothing is connected.');
    expect(markup).toContain('A member registers one');
  });

  it('offers no token where only keys are accepted (DPoP)', () => {
    const body = workspacePage({ ...view, endpoints: [{ ...endpoint, bearer: false }] }).body;
    expect(body.toString()).not.toContain('With a token');
    expect(body.toString()).toContain('bound to a key (DPoP)');
  });
});

it('other servers are connected, disconnected or mended on the page of each', () => {
  const shown = (status: Parameters<typeof serversSection>[0]['servers'][number]['status']) =>
    serversSection({
      servers: [{ connectUrl: '/c/1', name: 'Notes', url: 'https://notes.test/mcp', status }],
    }).toString();
  expect(shown('connected')).toContain('href="/c/1" aria-label="Disconnect Notes"');
  expect(shown('disconnected')).toContain('href="/c/1" aria-label="Connect Notes"');
  expect(shown('error')).toContain('Connect again');
  expect(shown('disabled')).not.toContain('<a ');
});

it('what ends with a membership is counted in words', () => {
  expect(whatEnds('their', { connections: 2, tokens: 1, credentials: 3 })[0]).toBe(
    'This ends their 2 connections, 1 personal access token and 3 workspace credentials at once.',
  );
  expect(whatEnds('your', { connections: 0, tokens: 0, credentials: 0 })).toEqual([
    'Nothing of yours is connected to it now.',
  ]);
});

it('what breaks names the credential and when it was used', () => {
  const sentences = whatBreaks({ id: 'wsc_x', lastUsed: earlier }, now).map(String).join(' ');
  expect(sentences).toContain('<code>wsc_x</code> stops working at once');
  expect(sentences).toContain('3 hours ago');
  expect(whatBreaks(undefined, now).join(' ')).not.toContain('stops');
});

describe('the configuration of a client', () => {
  const of = (client: string, url = endpoint.url) =>
    clientConfigurations({ ...endpoint, url }).find((one) => one.client === client);
  const codes = (client: string, way: 'oauth' | 'bearer', url?: string) =>
    of(client, url)?.[way]?.map(({ code }) => code ?? '') ?? [];

  it('is the one of its vendor: Claude Code, Cursor and VS Code read other members', () => {
    expect(JSON.parse(codes('Claude Code', 'oauth')[1] ?? '')).toEqual({
      mcpServers: { 'acme-files': { type: 'http', url: endpoint.url } },
    });
    expect(JSON.parse(codes('Cursor', 'oauth')[0] ?? '')).toEqual({
      mcpServers: { 'acme-files': { url: endpoint.url } },
    });
    expect(JSON.parse(codes('VS Code', 'oauth')[0] ?? '')).toEqual({
      servers: { 'acme-files': { type: 'http', url: endpoint.url } },
    });
    expect(JSON.parse(codes('VS Code', 'bearer')[0] ?? '')).toMatchObject({
      inputs: [{ id: 'acme-files-token', password: true }],
      servers: {
        'acme-files': { headers: { Authorization: `Bearer \${input:acme-files-token}` } },
      },
    });
    expect(JSON.parse(mcpJson(endpoint, 'id.secret'))).toMatchObject({
      mcpServers: { 'acme-files': { headers: { Authorization: 'Bearer id.secret' } } },
    });
  });

  it('MUST NOT let a URL out of its place in a command', () => {
    const url = "https://files.test/mcp?a=1&b='$(touch x)'";
    const quoted = String.raw`'https://files.test/mcp?a=1&b='\''$(touch x)'\'''`;
    for (const [client, way] of [
      ['Claude Code', 'oauth'],
      ['MCP Inspector', 'bearer'],
    ] as const) {
      expect(codes(client, way, url)[0]).toContain(quoted);
    }
  });
});
