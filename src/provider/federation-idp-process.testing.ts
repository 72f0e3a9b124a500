import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair } from 'jose';
import Provider from 'oidc-provider';

/** A person as the provider knows them. */
export interface PersonThere {
  sub: string;
  [claim: string]: unknown;
}

/** What the test tells the process. */
export interface IdpOrder {
  id: number;
  /** Redirect URIs of our client, of which a new provider is built. */
  redirectUris?: string[];
  /** Whether the ID token has every claim; otherwise they are at userinfo. */
  claimsInIdToken?: boolean;
  /** Who signs in from now on; null: whoever comes goes away. */
  person?: PersonThere | null;
  /** Ends it. */
  stop?: true;
}

export interface IdpReport {
  id: number;
  issuer: string;
}

export const clientId = 'authserver';
export const clientSecret = 'secret-of-authserver-at-the-idp';

/** An OpenID provider without forms: whoever comes is the person it was told. Run as a process of its own. */
async function main(): Promise<void> {
  let handle: RequestListener = (_, res) => res.writeHead(503).end();
  const server = createServer((req, res) => handle(req, res)).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address: AddressInfo | string | null = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const issuer = `http://localhost:${port}`;
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const key = { ...(await exportJWK(privateKey)), kid: 'idp-1', alg: 'RS256', use: 'sig' };
  const people = new Map<string, PersonThere>();
  let person: PersonThere | null = null;

  function build(redirectUris: string[], claimsInIdToken: boolean): RequestListener {
    const provider = new Provider(issuer, {
      clients: [
        {
          client_id: clientId,
          client_secret: clientSecret,
          redirect_uris: redirectUris,
          application_type: 'web',
        },
      ],
      jwks: { keys: [key] },
      cookies: { keys: ['of this test'] },
      claims: {
        openid: ['sub'],
        profile: ['name'],
        email: ['email', 'email_verified'],
        groups: ['groups'],
      },
      scopes: ['openid', 'profile', 'email', 'groups', 'offline_access'],
      conformIdTokenClaims: !claimsInIdToken,
      features: { devInteractions: { enabled: false } },
      interactions: { url: (_, { uid }) => `/interaction/${uid}` },
      findAccount: (_, sub) => ({
        accountId: sub,
        claims: () => ({ ...people.get(sub), sub }),
      }),
      async loadExistingGrant({ oidc }) {
        const { client, session } = oidc;
        const known = session?.grantIdFor(client?.clientId ?? '');
        if (known) return oidc.provider.Grant.find(known);
        const grant = new oidc.provider.Grant({
          clientId: client?.clientId,
          accountId: session?.accountId,
        });
        grant.addOIDCScope('openid profile email groups');
        await grant.save();
        return grant;
      },
    });
    const library = provider.callback();
    return (req, res) => {
      if (!req.url?.startsWith('/interaction/')) return void library(req, res);
      const result = person
        ? { login: { accountId: person.sub } }
        : { error: 'access_denied', error_description: '<svg onload=alert(1)>' };
      void provider.interactionFinished(req, res, result);
    };
  }

  process.on('message', (order: IdpOrder) => {
    if (order.stop) return process.exit(0);
    if (order.redirectUris) handle = build(order.redirectUris, order.claimsInIdToken ?? false);
    if (order.person !== undefined) person = order.person;
    if (order.person) people.set(order.person.sub, order.person);
    const report: IdpReport = { id: order.id, issuer };
    process.send?.(report);
  });
  process.on('disconnect', () => process.exit(0)); // the test is gone
  process.send?.({ id: 0, issuer } satisfies IdpReport);
}

if (process.send) await main();
