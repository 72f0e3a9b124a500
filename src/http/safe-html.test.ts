import { describe, expect, it } from 'vitest';
import { ago, inWords, plainText, shorten } from './display.ts';
import { foreign, html } from './safe-html.ts';

describe('html', () => {
  it('escapes every inserted value for text and attributes, and nothing twice', () => {
    const name = `"><img src=x onerror='alert(1)'>&`;
    expect(html`<a title="${name}">${html`<b>${name}</b>`}</a>`.toString()).toBe(
      '<a title="&quot;&gt;&lt;img src=x onerror=&#39;alert(1)&#39;&gt;&amp;">' +
        '<b>&quot;&gt;&lt;img src=x onerror=&#39;alert(1)&#39;&gt;&amp;</b></a>',
    );
  });

  it('escapes the items of a list and prints nothing for what is absent', () => {
    expect(html`${['<', html`<br>`]}${undefined}${null}${false}`.toString()).toBe('&lt;<br>');
  });

  it('does not wait for promises', () => {
    expect(() => html`${Promise.resolve('x')}`).toThrow(TypeError);
  });
});

describe('a stranger’s text', () => {
  it('is isolated, so that its direction cannot leak', () => {
    expect(foreign('שלום').toString()).toBe('<bdi>שלום</bdi>');
  });

  it('loses overrides, controls, zero-width and lone surrogates, but not emoji joiners', () => {
    expect(plainText('a\u202Egnp.exe\u2066\u200B\u0007\uD800!\uFEFF')).toBe('agnp.exe\uFFFD!');
    expect(plainText('👩‍👩‍👧 می‌خواهم')).toBe('👩‍👩‍👧 می‌خواهم');
    expect(plainText(' two\n lines\t ')).toBe('two lines');
    expect(plainText(`Z${'\u0301'.repeat(50)}o`)).toBe(`Z${'\u0301'.repeat(4)}o`);
  });

  it('is shortened in the middle with the whole in the tooltip', () => {
    const markup = foreign(`begin${'<'.repeat(10_000)}end`, 11).toString();
    expect(markup).toMatch(/>begin…&lt;&lt;end<\/bdi>$/);
    expect(markup).toContain(`title="begin${'&lt;'.repeat(10_000)}end"`);
  });

  it('is never cut inside a character, however it is made', () => {
    const family = '👩‍👩‍👧‍👦';
    expect(shorten(family.repeat(9), 5)).toBe(`${family.repeat(2)}…${family.repeat(2)}`);
    expect(shorten('short', 5)).toBe('short');
    expect(shorten(family.repeat(5), 5)).toBe(family.repeat(5));
  });

  it('is bounded work however long it is', () => {
    const before = performance.now();
    for (const text of [
      'a\u0301'.repeat(500_000),
      '\u202E'.repeat(1_000_000),
      ' '.repeat(1_000_000),
    ]) {
      foreign(text);
    }
    expect(performance.now() - before).toBeLessThan(1_000);
    const name = performance.now();
    foreign('👩‍'.repeat(5_000));
    expect(performance.now() - name).toBeLessThan(100);
  });
});

describe('times in words', () => {
  it.each([
    [604_800, '7 days'],
    [7_776_000, '90 days'],
    [86_400, '1 day'],
    [5_400, '90 minutes'],
    [900, '15 minutes'],
    [45, '45 seconds'],
  ])('%d seconds are %s', (seconds, words) => {
    expect(inWords(seconds)).toBe(words);
  });

  it.each([
    [0, 'just now'],
    [-5, 'just now'],
    [61, '1 minute ago'],
    [7_300, '2 hours ago'],
    [172_801, '2 days ago'],
  ])('%d seconds before is %s', (seconds, words) => {
    const now = new Date('2026-11-21T09:00:00Z');
    expect(ago(new Date(now.getTime() - seconds * 1000), now)).toBe(words);
  });
});
