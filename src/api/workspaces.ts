import type { ApiDeps } from './deps.ts';
import type { ApiRoute } from './route.ts';

/** `GET /api/workspaces`: where the caller is a member. */
export function workspaceRoutes({ workspaces }: Pick<ApiDeps, 'workspaces'>): ApiRoute[] {
  return [
    {
      method: 'GET',
      path: '/api/workspaces',
      scope: 'apps:read',
      async handle(ctx, { user, workspaceId }) {
        const all = await workspaces.membershipsOf(user.id);
        const items = all
          .filter(({ id }) => workspaceId === undefined || id === workspaceId)
          .map(({ id, slug, name, role }) => ({ id, slug, name, role }));
        ctx.body = { items, next_cursor: null };
      },
    },
  ];
}
