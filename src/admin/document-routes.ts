import { document } from './contract/index.ts';
import { openApiDocument } from './openapi.ts';
import { fulfil, type ServedRoute } from './served-route.ts';

/** The API's own description. */
export function documentRoutes(): ServedRoute[] {
  const description = openApiDocument();
  return [fulfil(document.get, async () => description)];
}
