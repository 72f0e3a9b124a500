import type { Middleware } from 'koa';

/** Spans of requests and of the statements that they send to the database. */
export interface Tracing {
  /** A span for each request, under the caller's `traceparent` (W3C Trace Context) where there is one. */
  middleware: Middleware;
  /** A statement that took so long until now; belongs to the request that sent it. */
  query(report: { name: string; milliseconds: number }): void;
  /** Sends what has not been sent. */
  close(): Promise<void>;
}

/** What runs where tracing is switched off: nothing. */
export const noTracing: Tracing = {
  middleware: (_ctx, next) => next(),
  query: () => {},
  close: async () => {},
};
