import type { Tracing } from './tracing.ts';

/** Traces by OpenTelemetry, whose libraries are loaded only where they are wanted. */
export async function openTracing(options: { endpoint?: string | undefined }): Promise<Tracing> {
  const { createTracing } = await import('./open-telemetry.ts');
  return createTracing(options);
}
