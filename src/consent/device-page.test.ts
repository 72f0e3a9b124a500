import { describe, expect, it } from 'vitest';
import { deviceCodePage, deviceDestination } from './device-page.ts';

const view = { action: '/device', csrf: 'token', userCode: '' };
const bodyOf = (changes: Partial<Parameters<typeof deviceCodePage>[0]> = {}) =>
  deviceCodePage({ ...view, ...changes }).body.toString();

describe('the page that asks for a code', () => {
  it('has one form with user_code and csrf', () => {
    const html = bodyOf();
    expect(html.match(/<form/g)).toHaveLength(1);
    expect(html).toMatch(/<input[^>]* name="user_code"/);
    expect(html).toContain('name="csrf" value="token"');
    expect(html).not.toContain('role="alert"');
  });

  it('shows what was typed as text, whatever it is', () => {
    const html = bodyOf({ userCode: '"><script>alert(1)</script>\u202e' });
    expect(html).not.toContain('<script');
    expect(html).not.toContain('\u202e');
    expect(html).toContain('&lt;script&gt;');
  });

  it('says what was wrong beside the field, to screen readers too', () => {
    const html = bodyOf({ userCode: 'BBBB-BBBB', problem: { kind: 'unknown' } });
    expect(html).toContain('role="alert"');
    expect(html).toMatch(/aria-invalid="true"/);
    expect(html).toContain('value="BBBB-BBBB"');
  });

  it('says how long to wait, in minutes', () => {
    const html = bodyOf({ problem: { kind: 'locked', retryAfter: 841 } });
    expect(html).toContain('Wait 15 minutes');
  });
});

it('the consent page names the code instead of a redirect host, and warns', () => {
  const html = deviceDestination({ userCode: 'WDJB-MJHT' }).toString();
  expect(html).toContain('WDJB-MJHT');
  expect(html).toContain('Approve only if you just started this');
});
