import { describe, expect, it } from 'vitest';
import { checkOutboundUrl } from './guarded-url.ts';

describe('checkOutboundUrl', () => {
  it.each([
    'https://client.test/a.json',
    'https://client.test:8443/a/b?c=d',
    'https://CLIENT.test/a',
    'https://[2606:4700::1111]/a',
    'https://client.test:443/a',
  ])('accepts %s', (url) => {
    expect(checkOutboundUrl(url)).toMatchObject({ ok: true });
  });

  it.each([
    ['http://client.test/a', 'plain http'],
    ['ftp://client.test/a', 'another scheme'],
    ['https:client.test/a', 'no slashes'],
    ['https:\\\\client.test/a', 'backslashes'],
    ['https://user@client.test/a', 'userinfo'],
    ['https://user:pw@client.test/a', 'userinfo with a password'],
    ['https://@client.test/a', 'empty userinfo'],
    ['https://client.test/a#b', 'a fragment'],
    ['https://client.test/a#', 'an empty fragment'],
    ['https://client.test:0/a', 'port 0'],
    ['https://client.test:99999/a', 'a port out of range'],
    ['https://0x7f.1/a', 'a hexadecimal host'],
    ['https://2130706433/a', 'an integer host'],
    ['https://0177.0.0.1/a', 'an octal host'],
    ['https://127.1/a', 'a short address'],
    ['https://[0:0:0:0:0:0:0:1]/a', 'an address not in its canonical form'],
    ['https://client%2etest/a', 'an encoded host'],
    ['https://client.test./a', 'a host with a final dot'],
    ['https://clıent.test/a', 'a host that is not ASCII'],
    ['https:///a', 'no host'],
    ['https://client.test/a\tb', 'a tab'],
    ['https://client.test/a\r\nb', 'a line break'],
    ['https://client.test/a\u0000', 'NUL'],
    ['https://client.test/a b', 'a space'],
    ['https://client.test\\@evil.test/a', 'a backslash'],
    [`https://client.test/${'a'.repeat(2048)}`, 'more than 2048 characters'],
    ['', 'nothing'],
  ])('refuses %s: %s', (url) => {
    expect(checkOutboundUrl(url)).toMatchObject({ ok: false });
  });
});
