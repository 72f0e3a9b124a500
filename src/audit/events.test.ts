import { expectTypeOf, test } from 'vitest';
import type { AuditDetail, AuditEvent } from './index.ts';

test('the compiler knows which detail belongs to which event', () => {
  expectTypeOf<AuditDetail<'user_login'>>().toEqualTypeOf<
    { readonly method: string } & {
      readonly purpose?: string | undefined;
      readonly provider?: string | undefined;
    }
  >();
  expectTypeOf<{
    type: 'user_login';
    actor: { kind: 'user' };
    detail: { count: number };
  }>().not.toExtend<AuditEvent>();
  expectTypeOf<{
    type: 'sessions_ended';
    actor: { kind: 'system' };
    detail: { count: number; reason: string };
  }>().toExtend<AuditEvent>();
});
