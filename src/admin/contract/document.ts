import { z } from 'zod';
import { plain, route } from './route.ts';

/** The description of the API itself. */
export const document = {
  get: route({
    ...plain,
    name: 'openapi.get',
    method: 'GET',
    path: '/admin/api/openapi.json',
    permission: 'viewer',
    summary: 'This description (OpenAPI 3.1)',
    answer: z.looseObject({ openapi: z.string() }),
  }),
};
