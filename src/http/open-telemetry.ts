import { AsyncLocalStorage } from 'node:async_hooks';
import {
  defaultTextMapGetter,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { currentTraceId } from './request-context.ts';
import type { Tracing } from './tracing.ts';

const collectorOnThisComputer = 'http://localhost:4318/v1/traces';

/**
 * Sends OpenTelemetry traces by OTLP over HTTP. Spans name methods, routes and statuses: never a query string, a header,
 * a parameter of a statement, or who asked.
 *
 * @param options.endpoint `observability.tracing.otlp_endpoint`
 */
export function createTracing({ endpoint }: { endpoint?: string | undefined }): Tracing {
  const exporter = new OTLPTraceExporter({ url: endpoint ?? collectorOnThisComputer });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'authserver' }),
    spanProcessors: [new BatchSpanProcessor({ exporter })],
  });
  const tracer = provider.getTracer('authserver');
  const propagator = new W3CTraceContextPropagator();
  const running = new AsyncLocalStorage<Span>();

  return {
    async middleware(ctx, next) {
      const parent = propagator.extract(ROOT_CONTEXT, ctx.headers, defaultTextMapGetter);
      const span = tracer.startSpan(
        ctx.method,
        {
          kind: SpanKind.SERVER,
          attributes: {
            'http.request.method': ctx.method,
            'authserver.trace_id': currentTraceId(),
          },
        },
        parent,
      );
      ctx.res.once('close', () => end(span, ctx.method, ctx._matchedRoute, ctx.res.statusCode));
      await running.run(span, next);
    },

    query({ name, milliseconds }) {
      const span = running.getStore();
      if (!span) return; // jobs and the command line
      const end = Date.now();
      tracer
        .startSpan(
          name,
          {
            kind: SpanKind.CLIENT,
            startTime: end - milliseconds,
            attributes: { 'db.system.name': 'postgresql', 'db.operation.name': name },
          },
          trace.setSpan(ROOT_CONTEXT, span),
        )
        .end(end);
    },

    close: () => provider.shutdown(),
  };
}

function end(span: Span, method: string, matched: unknown, status: number): void {
  const route = typeof matched === 'string' ? matched : undefined;
  if (route !== undefined) {
    span.updateName(`${method} ${route}`);
    span.setAttribute('http.route', route);
  }
  span.setAttribute('http.response.status_code', status);
  if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}
