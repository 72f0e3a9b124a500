import type { KoaContextWithOIDC } from 'oidc-provider';
import type { ProviderDeps } from './deps.ts';
import { deviceIsOver } from './device-adapter.ts';
import { stateOf } from './request-state.ts';

/** Below `/device`: what people see at the end. They are redirected there, so that a reload does no harm. */
export const deviceOutcomes = {
  connected: '/device/connected',
  refused: '/device/refused',
} as const;

/** The library's hooks for the end of a device's authorization. */
export function deviceHooks({ base }: Pick<ProviderDeps, 'base'>) {
  const goTo = (ctx: KoaContextWithOIDC, path: string): void => {
    ctx.status = 303;
    ctx.redirect(base + path);
    ctx.body = '';
  };
  return {
    successSource: (ctx: KoaContextWithOIDC): void => goTo(ctx, deviceOutcomes.connected),

    /** Where the library would ask for another code: ours is asked for at `/device` only. */
    userCodeInputSource(
      ctx: KoaContextWithOIDC,
      _form: string,
      _out: unknown,
      error: unknown,
    ): void {
      const name = error instanceof Error ? error.name : '';
      if (name === 'AbortedError') {
        goTo(ctx, deviceOutcomes.refused);
        return;
      }
      // The library's own errors here only say that the code is of no use any more.
      stateOf(ctx).error = reRendered.has(name) ? deviceIsOver(error) : error;
      ctx.status = 400;
      ctx.body = { error: 'not connected' }; // explainErrors shows the page
    },
  };
}

const reRendered = new Set(['NotFoundError', 'ExpiredError', 'AlreadyUsedError', 'NoCodeError']);
