declare module 'virtual:contract-routes' {
  export const routes: Readonly<
    Record<
      string,
      readonly [method: string, path: string, permission: string, workspaceAdmin: boolean]
    >
  >;
}
declare module 'virtual:design-tokens.css';
