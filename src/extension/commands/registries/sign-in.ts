/** Signing in at a registry and out of it, and the use of docker's own logins. */
import { dockerHosts } from '../../../client/registry/docker-config.ts';
import { EngineError, kindOf, messageOf } from '../../../lib/errors.ts';
import type { Account } from '../../registries/credentials.ts';
import { DOCKER_HUB, GHCR } from '../../registries/registries.ts';
import { registryName } from '../../views/registries.ts';
import type { Command, Desk } from '../desk.ts';
import { chooseHost, registriesOf } from './targets.ts';

const PROMPTS: Readonly<Record<string, string>> = {
  [DOCKER_HUB]: 'Password, or better a personal access token of Docker Hub',
  [GHCR]: 'Personal access token of GitHub with the right read:packages',
};

export const signIn: Command = {
  id: 'pinnace.registry.signIn',
  title: 'Sign In…',
  category: 'Pinnace Registries',
  icon: '$(sign-in)',
  run: async (desk, targets) => {
    const host = await chooseHost(desk, targets, 'Sign in at which registry?');
    if (host === undefined) return;
    const account = await askAccount(desk, host);
    if (account === undefined) return;
    await desk.progress(`Signing in at ${registryName(host)}`, (signal) =>
      registriesOf(desk).signIn(host, account, signal),
    );
    await desk.inform(`You are signed in at ${registryName(host)} as ${account.username}.`);
  },
};

/** Asks for the name and the secret; undefined when the user gives up. */
export async function askAccount(desk: Desk, host: string): Promise<Account | undefined> {
  const title = `Sign In: ${registryName(host)}`;
  const username = await desk.ask({
    title,
    prompt: 'User name',
    check: (value) =>
      /^[^:\s]+$/.test(value.trim()) ? undefined : 'A name without colons and spaces',
  });
  if (username === undefined) return undefined;
  const secret = await desk.ask({
    title,
    prompt: `${PROMPTS[host] ?? 'Password or access token'}. It is kept in the editor's secret store.`,
    secret: true,
    check: (value) => (value === '' ? 'It cannot be empty' : undefined),
  });
  return secret === undefined ? undefined : { username: username.trim(), secret };
}

export const signOut: Command = {
  id: 'pinnace.registry.signOut',
  title: 'Sign Out',
  category: 'Pinnace Registries',
  icon: '$(sign-out)',
  run: async (desk, targets) => {
    const registries = registriesOf(desk);
    const host = await chooseHost(
      desk,
      targets,
      'Sign out of which registry?',
      (account) => account !== undefined,
    );
    if (host === undefined) return;
    const account = await registries.account(host);
    if (account?.from === 'docker')
      throw new EngineError(
        'conflict',
        `The login for ${registryName(host)} is docker's own: use "docker logout", or stop using docker's logins.`,
      );
    await registries.signOut(host);
  },
};

export const dockerLogins: Command = {
  id: 'pinnace.registry.dockerLogins',
  title: 'Use Logins of Docker…',
  category: 'Pinnace Registries',
  run: async (desk) => {
    const registries = registriesOf(desk);
    if (registries.usesDocker) {
      const stop = await desk.confirm({
        message: "Stop using docker's logins?",
        detail: 'Logins of the editor stay. Nothing of docker is changed.',
        action: 'Stop Using Them',
      });
      if (stop) await registries.useDocker(false);
      return;
    }
    const use = await desk.confirm({
      message: "Use docker's logins where you are not signed in here?",
      detail:
        "Docker's config.json is read, and the credential helper that it names is run when a registry is asked. Both are only read, and nothing is copied.",
      action: 'Use Them',
    });
    if (!use) return;
    await registries.useDocker(true);
    const hosts = await dockerHosts({ env: process.env }).catch((error: unknown) => {
      if (kindOf(error) === 'internal') throw error;
      throw new EngineError(kindOf(error), messageOf(error), { cause: error });
    });
    await desk.inform(
      hosts.length === 0
        ? 'Docker keeps no logins by name; its credential helper is asked for each registry.'
        : `Docker has logins for ${hosts.map(registryName).join(', ')}.`,
    );
  },
};
