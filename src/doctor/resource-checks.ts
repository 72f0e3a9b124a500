import { canonicalResource } from '../oauth/index.ts';
import type { Resource } from '../resources/index.ts';
import { challengeOf } from './challenge-checks.ts';
import { type Check, type Examination, fail, type Outcome, pass, skip, warn } from './finding.ts';
import { resourceMetadataUrls } from './places.ts';
import { type Answer, said } from './probe.ts';
import { preflight, preflightProblem } from './server-checks.ts';

const strict = ['VS Code', 'Gemini CLI', 'TypeScript SDK v1', 'TypeScript SDK v2'];

/** The metadata that a client ends up with: of the challenge, path-inserted, or at the root. */
export async function resourceMetadata(
  examination: Examination,
): Promise<Record<string, unknown> | undefined> {
  const named = (await challengeOf(examination))?.resourceMetadata;
  const { inserted, root } = resourceMetadataUrls(examination.url);
  for (const url of [named, inserted, root]) {
    if (url === undefined || !URL.canParse(url)) continue;
    const answer = await examination.ask(url);
    if (answer.status === 200 && answer.json) return answer.json;
  }
  return undefined;
}

/** The resource that is registered here for what the metadata says, a disabled one too. */
export async function registered(examination: Examination): Promise<Resource | undefined> {
  const { resource = examination.url } = (await resourceMetadata(examination)) ?? {};
  const canonical = canonicalResource(String(resource));
  return examination.resources.find(
    ({ identifiers }) => canonical !== undefined && identifiers.includes(canonical),
  );
}

/** The metadata of the MCP server (RFC 9728), and what is registered here. */
export const resourceChecks: readonly Check[] = [
  {
    id: 'prm_inserted',
    group: 'resource_metadata',
    title: 'The metadata of the resource is at the path-inserted place',
    clients: ['Claude Code', 'VS Code', 'Cursor', 'TypeScript SDK v1', 'TypeScript SDK v2'],
    fix: 'Serve it there (RFC 9728 §3.1). The kit does that; this server hosts a copy for every registered resource, to which a reverse proxy can lead.',
    async run({ url, ask }) {
      const { inserted } = resourceMetadataUrls(url);
      const answer = await ask(inserted);
      if (isDocument(answer)) return pass(`${inserted} has it.`);
      return fail(`${inserted} does not have it: ${said(answer)}.`, '200 and a JSON object');
    },
  },
  {
    id: 'prm_root',
    group: 'resource_metadata',
    title: 'The metadata of the resource is at the root too',
    clients: ['older clients'],
    fix: 'Serve it at /.well-known/oauth-protected-resource as well: clients look there when nothing is at the path-inserted place.',
    async run({ url, ask }) {
      const { root } = resourceMetadataUrls(url);
      const answer = await ask(root);
      if (isDocument(answer)) return pass(`${root} has it.`);
      return warn(`${root} does not have it: ${said(answer)}.`, '200 and a JSON object');
    },
  },
  {
    id: 'prm_resource',
    group: 'resource_metadata',
    title: 'The metadata names the URL that people paste',
    clients: strict,
    fix: 'Make resource in the metadata equal to the URL of the MCP endpoint, byte for byte: scheme, host, port, path and last slash.',
    async run(examination) {
      const document = await resourceMetadata(examination);
      if (!document) return skip('There is no metadata to read.');
      return sameResource(document.resource, examination.url);
    },
  },
  {
    id: 'prm_issuer',
    group: 'resource_metadata',
    title: 'The metadata names this server as authorization server',
    clients: [],
    fix: 'Put server.issuer into authorization_servers, byte for byte; of the kit: the option issuer.',
    async run(examination) {
      const document = await resourceMetadata(examination);
      if (!document) return skip('There is no metadata to read.');
      return namesIssuer(document.authorization_servers, examination.issuer);
    },
  },
  {
    id: 'prm_scopes',
    group: 'resource_metadata',
    title: 'The scopes of the metadata are known here',
    clients: ['Codex CLI', 'VS Code', 'Claude Code'],
    fix: 'Register the missing scopes at the resource, or take them out of scopes_supported.',
    run: knownScopes,
  },
  {
    id: 'prm_cors',
    group: 'resource_metadata',
    title: 'Scripts of other origins may read the metadata',
    clients: ['MCP Inspector 1.x', 'web apps'],
    fix: 'Answer with Access-Control-Allow-Origin: * at the places of the metadata, to OPTIONS too.',
    async run({ url, ask }) {
      const { inserted } = resourceMetadataUrls(url);
      if (!isDocument(await ask(inserted))) return skip('There is no metadata to read.');
      const refused = preflightProblem(await ask(inserted, preflight('GET')));
      if (refused) return warn(`In browsers it cannot be read: ${refused}.`);
      return pass('They may.');
    },
  },
  {
    id: 'resource_registered',
    group: 'resource_metadata',
    title: 'The resource is registered and enabled here',
    clients: [],
    fix: 'Register the MCP server under Resources, with the resource of its metadata as its URI.',
    async run(examination) {
      const document = await resourceMetadata(examination);
      const named = String(document?.resource ?? examination.url);
      const resource = await registered(examination);
      if (!resource) {
        return fail(
          `${named} is not registered.`,
          undefined,
          `Register ${named} under Resources, or add it as an alias of the resource that it is.`,
        );
      }
      if (!resource.enabled) {
        return fail(`${resource.uri} is disabled.`, 'enabled', `Enable ${resource.slug}.`);
      }
      return pass(`It is ${resource.displayName} (${resource.slug}).`);
    },
  },
  {
    id: 'resource_audience',
    group: 'resource_metadata',
    title: 'Tokens have the audience that the MCP server expects',
    clients: [],
    fix: 'Make the registered URI and the resource of the metadata the same: tokens carry the registered one, whatever alias was asked for.',
    async run(examination) {
      const document = await resourceMetadata(examination);
      const resource = await registered(examination);
      if (!document || !resource) return skip('There is nothing to compare.');
      if (document.resource === resource.uri) return pass(`It is ${resource.uri}.`);
      return warn(
        `The MCP server calls itself ${String(document.resource)}; tokens are for ${resource.uri}.`,
        resource.uri,
      );
    },
  },
  {
    id: 'metadata_copy',
    group: 'resource_metadata',
    title: 'A copy of the metadata of this server is at the MCP server',
    clients: ['clients of MCP 2025-03-26'],
    fix: 'Serve a copy of the metadata of this server at /.well-known/oauth-authorization-server there. The kit does that. Current clients do not need it.',
    async run({ url, ask, issuer }) {
      const { origin } = new URL(url);
      const answer = await ask(`${origin}/.well-known/oauth-authorization-server`);
      if (answer.json?.issuer === issuer) return pass('It is there.');
      if (isDocument(answer)) {
        return warn(`It names the issuer ${String(answer.json?.issuer)}.`, issuer);
      }
      return pass('It is not there, which only clients of MCP 2025-03-26 notice.');
    },
  },
];

function isDocument(answer: Answer): boolean {
  return answer.status === 200 && answer.json !== undefined;
}

function sameResource(named: unknown, url: string): Outcome {
  if (named === url) return pass(`It names ${url}.`);
  const words = `It names ${String(named)}.`;
  if (typeof named !== 'string') return fail('It names no resource.', url);
  const isSpelling = canonicalResource(named) === canonicalResource(url);
  return isSpelling
    ? warn(`${words} That is the same resource in another spelling.`, url)
    : fail(words, url);
}

function namesIssuer(named: unknown, issuer: string): Outcome {
  const issuers: unknown[] = Array.isArray(named) ? named : [];
  if (issuers[0] === issuer) return pass(`It names ${issuer}.`);
  if (issuers.includes(issuer)) {
    return warn(
      'It names this server, but not first: most clients take the first.',
      issuer,
      'Put this server first in authorization_servers.',
    );
  }
  const near = issuers.find((one) => String(one).replace(/\/$/, '') === issuer.replace(/\/$/, ''));
  if (near !== undefined) {
    return fail(`It names ${String(near)}, which differs by the last slash.`, issuer);
  }
  return fail(`It names ${issuers.length === 0 ? 'none' : issuers.join(', ')}.`, issuer);
}

async function knownScopes(examination: Examination): Promise<Outcome> {
  const document = await resourceMetadata(examination);
  const resource = await registered(examination);
  if (!document || !resource) return skip('There is nothing to compare.');
  const { scopes_supported: listed } = document;
  if (!Array.isArray(listed)) return pass('It lists none.');
  const known = resource.scopes.map(({ name }) => name);
  const unknown = listed.filter((name) => !known.includes(name) && name !== 'offline_access');
  if (unknown.length === 0) return pass('Each is.');
  const words = `${unknown.join(' ')} is not known here.`;
  const expected = known.join(' ');
  return unknown.length === listed.length ? fail(words, expected) : warn(words, expected);
}
