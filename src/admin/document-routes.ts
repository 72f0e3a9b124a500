import { document } from './contract/index.ts';
import { openApiDocument } from './openapi.ts';
import { fulfil, type ServedRoute } from './served-route.ts';

/** The API's own description; made when somebody first asks for it. */
export function documentRoutes(): ServedRoute[] {
  let description: ReturnType<typeof openApiDocument> | undefined;
  return [
    fulfil(document.get, async () => {
      description ??= openApiDocument();
      return description;
    }),
  ];
}
