/** Asks the editor to be asked where windows in containers lead, where this package and the editor have the proposed API. Loaded at activation: it loads nothing more by itself. */
import { messageOf } from '../../lib/errors.ts';
import type { Parts } from '../parts.ts';
import type { AuthorityResolver } from './api.ts';
import { AUTHORITY_PREFIX } from './authority.ts';
import { proposedApi, resolverState } from './proposal.ts';

/** At once, within the activation: the editor looks for the resolver as soon as it is over. `plugged`: when the areas stand. */
export function registerResolver(parts: Parts, plugged: Promise<unknown>): void {
  const state = resolverState(parts.context);
  if (state === 'refused') parts.log.info('the editor does not allow the proposed API "resolvers"');
  if (state !== 'ready') return;
  let made: Promise<AuthorityResolver> | undefined;
  const resolver = (): Promise<AuthorityResolver> =>
    (made ??= plugged
      .then(() => import('./plug.ts'))
      .then(({ createAuthorityResolver }) => createAuthorityResolver(parts)));
  try {
    const registration = proposedApi().workspace.registerRemoteAuthorityResolver(AUTHORITY_PREFIX, {
      resolve: async (authority, attempt) => (await resolver()).resolve(authority, attempt),
      tunnelFactory: async (options) => (await resolver()).tunnelFactory(options),
    });
    parts.context.subscriptions.push(registration);
  } catch (error) {
    parts.log.error(`windows in containers cannot be opened: ${messageOf(error)}`);
  }
}
