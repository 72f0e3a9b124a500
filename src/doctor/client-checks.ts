import { decideDocument, decideRegistration, isHostAllowed } from '../clients/index.ts';
import { OAuthError, redirectUriMatches } from '../oauth/index.ts';
import { chooseResource, chooseScopes } from '../resources/index.ts';
import { challengeOf } from './challenge-checks.ts';
import { type Check, type Examination, fail, type Outcome, pass, warn } from './finding.ts';
import { type RealClient, realClients } from './real-clients.ts';
import { resourceMetadata } from './resource-checks.ts';

/**
 * A dry authorization of each client: by the very decisions of the registration and authorization endpoints, but
 * without them, so that no client, no row and no page is left behind.
 */
export const clientChecks: readonly Check[] = realClients.map((client) => ({
  id: `client_${client.name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_')}`,
  group: 'clients',
  title: `${client.name} gets to the sign-in page`,
  clients: [client.name],
  fix: 'Change what the sentence names, or make a client for it under Clients and paste its client_id.',
  run: (examination) => dryAuthorization(client, examination),
}));

async function dryAuthorization(client: RealClient, examination: Examination): Promise<Outcome> {
  const known = become(client, examination);
  if ('problem' in known) return known.problem;
  const wrong = client.redirects.find((uri) => !redirectUriMatches(uri, known.redirectUris));
  if (wrong !== undefined) return fail(`It would come back to ${wrong}, which is not allowed.`);
  const { config, resources } = examination;
  const asked = await scopesOf(client, examination);
  const named = await namedResource(examination);
  try {
    const resource = chooseResource({
      requested: client.sendsResource ? [named] : [],
      resources,
      defaultResource: config.oauth.default_resource,
    });
    const requireScope = config.oauth.require_scope;
    const { scopes } = chooseScopes({ requested: asked, resource, requireScope });
    return pass(`${known.how}; it would be asked for ${scopes.join(' ')} at ${resource.uri}.`);
  } catch (error) {
    if (error instanceof OAuthError) return refused(client, error);
    throw error;
  }
}

/** A client that sends no resource is served only where there is one to take. */
function refused({ sendsResource }: RealClient, { error, description }: OAuthError): Outcome {
  const words = `Its authorization request would be refused: ${error}, ${description}`;
  if (error !== 'invalid_target' || sendsResource) return fail(words);
  return warn(
    words,
    'a resource for requests that name none',
    'It has been seen to leave resource out: set oauth.default_resource to the resource that it means.',
  );
}

type Known = { how: string; redirectUris: string[] } | { problem: Outcome };

/** How the client becomes known: by its document, or by registering itself. */
function become({ document, registration }: RealClient, { config }: Examination): Known {
  try {
    if (document && config.cimd.enabled) {
      const { host } = new URL(document.client_id);
      if (isHostAllowed(host, config.cimd)) {
        const { metadata } = decideDocument(document.client_id, document, config);
        return { how: 'By its metadata document', redirectUris: metadata.redirect_uris };
      }
      return {
        problem: fail(
          `Its metadata document is at ${host}, which this server may not ask.`,
          undefined,
          `Add ${host} to cimd.allowed_hosts, or take it out of cimd.denied_hosts.`,
        ),
      };
    }
    return registers(registration, config);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { problem: fail(`It would not be accepted as a client: ${error.message}.`) };
  }
}

function registers(registration: object | undefined, config: Examination['config']): Known {
  if (config.dcr.mode === 'admin_only' || config.dcr.mode === 'initial_access_token') {
    const why = `It would register itself, which dcr.mode: ${config.dcr.mode} does not let it.`;
    const fix = 'Make a client for it under Clients and paste its client_id into the app.';
    return { problem: warn(why, undefined, fix) };
  }
  const { metadata } = decideRegistration(registration, config);
  return { how: 'By registering itself', redirectUris: metadata.redirect_uris };
}

async function scopesOf(
  { scopes }: RealClient,
  examination: Examination,
): Promise<string[] | undefined> {
  const challenge = await challengeOf(examination);
  if (scopes === 'challenge' && challenge?.scope) return challenge.scope.split(' ');
  if (scopes === 'none') return undefined;
  const listed = (await resourceMetadata(examination))?.scopes_supported;
  return Array.isArray(listed) ? listed.filter((one) => typeof one === 'string') : undefined;
}

/** What clients send: the resource of the metadata, or the URL itself. */
async function namedResource(examination: Examination): Promise<string> {
  const { resource } = (await resourceMetadata(examination)) ?? {};
  return typeof resource === 'string' ? resource : examination.url;
}
