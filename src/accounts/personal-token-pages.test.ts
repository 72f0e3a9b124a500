import { describe, expect, it } from 'vitest';
import {
  type NewTokenView,
  newTokenPage,
  type ShownToken,
  tokenMadePage,
  tokenResourcePage,
  tokensSection,
} from './personal-token-pages.ts';

const evil = `"><img src=x onerror=alert(1)>\u202E'{{7*7}}${'x'.repeat(10_000)}`;
const now = new Date('2026-11-21T09:00:00Z');
const token: ShownToken = {
  id: 'hash',
  name: 'CI',
  resource: { name: 'Acme Boards', uri: 'https://mcp.acme.example/mcp' },
  scopes: [{ name: 'access_boards', description: 'Read your boards' }],
  created: new Date('2026-11-20T09:00:00Z'),
  expires: new Date('2026-12-21T09:00:00Z'),
  expired: false,
};
const hostileToken = {
  ...token,
  name: evil,
  id: evil,
  lastUsedThrough: evil,
  resource: { name: evil, uri: evil },
  scopes: [{ name: evil, description: evil }],
};

function expectInert(text: string): void {
  expect(text).not.toContain('<img');
  expect(text.replace(/="[^"]*"/g, '')).not.toMatch(/<[a-z][^>]*onerror/);
}

describe('the list of tokens', () => {
  const markup = (tokens: ShownToken[], newUrl?: string) =>
    tokensSection({ tokens, csrf: 'c', revokeAction: '/revoke', newUrl, now }).toString();

  it('says what each is for, what it may do, when it ends and when it was used', () => {
    const text = markup([
      { ...token, lastUsed: new Date('2026-11-21T08:57:00Z'), lastUsedThrough: '192.0.2.7' },
    ]);
    expect(text).toContain('<bdi>Read your boards</bdi> <code><bdi>access_boards</bdi></code>');
    expect(text).toContain('>in 30 days</time>');
    expect(text).toContain('>1 day ago</time>');
    expect(text).toContain('>3 minutes ago</time>, through <code>192.0.2.7</code>');
    expect(markup([token])).toContain('<dd>never</dd>');
  });

  it('has a form per live token that posts its id, and none for an expired one', () => {
    const past = new Date('2026-11-20T09:00:00Z');
    const text = markup([token, { ...token, expires: past, expired: true }]);
    const forms = text.match(/<form.*?<\/form>/gs) ?? [];
    expect(forms).toHaveLength(1);
    expect(forms[0]).toContain('name="token" value="hash"');
    expect(forms[0]).toContain('aria-label="Revoke CI for Acme Boards"');
    expect(text).toContain('>Expired</span>');
  });

  it('says how the first one comes to be, and leads there only where one can be made', () => {
    expect(markup([])).toContain('There is no token. One appears here after you make it.');
    expect(markup([])).not.toContain('Make a token');
    expect(markup([], '/new')).toContain('<a class="button" href="/new">Make a token</a>');
  });

  it('shows hostile names inert', () => {
    expectInert(markup([hostileToken]));
  });
});

describe('the form', () => {
  const view: NewTokenView = {
    action: '/account/tokens',
    csrf: 'c',
    once: 'o',
    resource: { slug: 'boards', name: 'Acme Boards', uri: 'https://mcp.acme.example/mcp' },
    scopes: [{ name: 'access_boards', description: 'Read your boards', checked: false }],
    name: '',
    lives: [604_800, 2_592_000],
    life: 2_592_000,
    cancelUrl: '/account',
    now,
  };
  const markup = (change: Partial<NewTokenView> = {}) =>
    newTokenPage({ ...view, ...change }).body.toString();

  it('offers scopes unticked and expiries with their date', () => {
    expect(markup()).toMatch(/type="checkbox" name="scope" value="access_boards">/);
    expect(markup()).toContain('<option value="604800">7 days, until 2026-11-28</option>');
    expect(markup()).toContain(
      '<option value="2592000" selected>30 days, until 2026-12-21</option>',
    );
  });

  it.each(['name', 'expires'])('ties what was wrong to the field %s', (field) => {
    const text = markup({ problem: { field, sentence: 'Not so.' } });
    expect(text).toMatch(/role="alert" id="problem">.*Not so\./);
    expect(text).toMatch(
      new RegExp(`name="${field}"[^>]*aria-describedby="problem" aria-invalid="true"`),
    );
    expect(text.match(/aria-invalid/g)).toHaveLength(1);
  });

  it('shows hostile names inert', () => {
    const resource = { slug: evil, name: evil, uri: evil };
    const scopes = [{ name: evil, description: evil, checked: true }];
    expectInert(markup({ resource, scopes, name: evil, problem: { field: evil, sentence: evil } }));
    const choice = tokenResourcePage({ action: '/new', resources: [resource], cancelUrl: '/' });
    expectInert(choice.body.toString());
  });
});

it('the value is in one read-only field of the page that shows it, with the warning', () => {
  const page = tokenMadePage({ value: 'cp_pat_x', token, accountUrl: '/account', now });
  const text = page.body.toString();
  expect(text.match(/cp_pat_x/g)).toHaveLength(1);
  expect(text).toMatch(/<textarea [^>]*readonly[^>]*>cp_pat_x<\/textarea>/);
  expect(text).toContain('only this once');
  expect(page.title).not.toContain('cp_pat_x');
  const hostile = tokenMadePage({ value: 'v', token: hostileToken, accountUrl: '/account', now });
  expectInert(hostile.body.toString());
});
