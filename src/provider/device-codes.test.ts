import { expect, test } from 'vitest';
import { readUserCode, showUserCode } from './device-codes.ts';

test.each(['WDJB-MJHT', 'wdjbmjht', ' WDJB MJHT\n', 'W.D.J.B—M.J.H.T', 'ＷＤＪＢ－ＭＪＨＴ'])(
  '%j is read as the code that it is (RFC 8628 §6.1)',
  (typed) => {
    expect(readUserCode(typed)).toBe('WDJBMJHT');
    expect(showUserCode('WDJBMJHT')).toBe('WDJB-MJHT');
  },
);

test.each(['', 'WDJB-MJH', 'WDJB-MJHTW', 'ADJB-MJHT', 'WDJB-MJH0', 'WDJB\0MJHT', '😀'])(
  '%j cannot be a code',
  (typed) => {
    expect(readUserCode(typed)).toBeUndefined();
  },
);
