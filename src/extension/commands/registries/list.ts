/** The list of registries and what is shown of each: add, remove, names of repositories, look again, show more. */
import { isRepository } from '../../../client/registry/browse.ts';
import { EngineError, kindOf, messageOf } from '../../../lib/errors.ts';
import { isRecord } from '../../../lib/record.ts';
import { DOCKER_HUB } from '../../registries/registries.ts';
import { registryName } from '../../views/registries.ts';
import type { Command } from '../desk.ts';
import { askAccount } from './sign-in.ts';
import { chooseHost, chooseRepository, registriesOf } from './targets.ts';

const HOST =
  /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*(?::\d{1,5})?$/i;

export const add: Command = {
  id: 'pinnace.registry.add',
  title: 'Add Registry…',
  category: 'Pinnace Registries',
  icon: '$(add)',
  run: async (desk) => {
    const text = await desk.ask({
      title: 'Add Registry',
      prompt: 'Address, as it stands before the names of images',
      placeholder: 'registry.example.com, quay.io, localhost:5000',
      check: (value) =>
        HOST.test(hostOf(value))
          ? undefined
          : 'A host with an optional port, such as localhost:5000',
    });
    if (text === undefined) return;
    const host = hostOf(text);
    const registries = registriesOf(desk);
    const title = `Asking ${host}`;
    try {
      await desk.progress(title, (signal) => registries.add(host, undefined, signal));
    } catch (error) {
      if (kindOf(error) !== 'unauthorized') throw error;
      const account = await askAccount(desk, host);
      if (account === undefined) return;
      await desk.progress(title, (signal) => registries.add(host, account, signal));
    }
  },
};

function hostOf(text: string): string {
  const host = text
    .trim()
    .replace(/^https?:\/\//, '')
    .replace(/\/+$/, '');
  return ['index.docker.io', 'registry-1.docker.io', 'hub.docker.com'].includes(host)
    ? DOCKER_HUB
    : host;
}

export const remove: Command = {
  id: 'pinnace.registry.remove',
  title: 'Remove from List',
  category: 'Pinnace Registries',
  run: async (desk, targets) => {
    const host = await chooseHost(desk, targets, 'Remove which registry from the list?');
    if (host === undefined) return;
    const sure = await desk.confirm({
      message: `Remove ${registryName(host)} from the list?`,
      detail: 'Its login here is forgotten. Nothing on the registry changes.',
      action: 'Remove',
    });
    if (sure) await registriesOf(desk).remove(host);
  },
};

export const addRepository: Command = {
  id: 'pinnace.registry.addRepository',
  title: 'Add Repository…',
  category: 'Pinnace Registries',
  icon: '$(add)',
  run: async (desk, targets) => {
    const host = await chooseHost(desk, targets, 'Add a repository of which registry?');
    if (host === undefined) return;
    const isHub = host === DOCKER_HUB;
    const text = await desk.ask({
      title: `Add Repository: ${registryName(host)}`,
      prompt: isHub ? 'A repository, or a namespace for all of its repositories' : 'Repository',
      placeholder: isHub ? 'library/debian, or bitnami' : 'owner/app',
      check: (value) =>
        isRepository(nameOf(value, host))
          ? undefined
          : 'Small letters, digits, dots, dashes, slashes',
    });
    if (text === undefined) return;
    const name = nameOf(text, host);
    const registries = registriesOf(desk);
    const isNamespace = isHub && !name.includes('/');
    const known = await desk.progress(`Asking ${registryName(host)}`, (signal) =>
      look(() =>
        isNamespace
          ? registries.hub().then((hub) => hub.repositories(name, 1, signal))
          : registries.browser(host).then((browser) => browser.tags(name, undefined, signal)),
      ),
    );
    if (known !== undefined) {
      const anyway = await desk.complain(known, 'Add Anyway');
      if (anyway === undefined) return;
    }
    await registries.addName(host, name);
  },
};

/** Undefined when it is there; otherwise why it is not, for people. */
async function look(ask: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await ask();
    return undefined;
  } catch (error) {
    if (kindOf(error) === 'cancelled') throw error;
    return messageOf(error);
  }
}

function nameOf(text: string, host: string): string {
  const name = text.trim().replace(/^https?:\/\//, '');
  return name.startsWith(`${host}/`) ? name.slice(host.length + 1) : name;
}

export const removeRepository: Command = {
  id: 'pinnace.repository.remove',
  title: 'Remove from List',
  category: 'Pinnace Registries',
  run: async (desk, targets) => {
    const node = await chooseRepository(desk, targets, 'Remove which repository from the list?');
    if (node === undefined) return;
    const { host, repository } = node;
    const registries = registriesOf(desk);
    const names = registries.known(host)?.names ?? [];
    const [namespace = ''] = repository.split('/');
    const found = [repository, namespace].find((name) => names.includes(name));
    if (found === undefined)
      throw new EngineError(
        'conflict',
        `${repository} was not added by you: ${registryName(host)} lists it.`,
      );
    const sure = await desk.confirm({
      message: `Remove ${found} from the list?`,
      detail: `Nothing on ${registryName(host)} changes.`,
      action: 'Remove',
    });
    if (sure) await registries.removeName(host, found);
  },
};

export const refresh: Command = {
  id: 'pinnace.registry.refresh',
  title: 'Refresh',
  category: 'Pinnace Registries',
  icon: '$(refresh)',
  run: async (desk, targets) => {
    const registries = registriesOf(desk);
    const nodes = targets.filter((node) => node.kind === 'registry' || node.kind === 'repository');
    if (nodes.length === 0) for (const { host } of registries.list()) registries.look(host);
    for (const node of nodes)
      registries.look(node.host, node.kind === 'repository' ? node.repository : undefined);
    await Promise.resolve();
  },
};

export const more: Command = {
  id: 'pinnace.registry.more',
  title: 'Show More',
  category: 'Pinnace Registries',
  run: async (desk, _targets, argument) => {
    if (!isRecord(argument) || typeof argument['host'] !== 'string')
      throw new EngineError('invalid', 'Show More is a row of the registries: click on it there.');
    const { host, repository } = argument;
    await registriesOf(desk).more(host, typeof repository === 'string' ? repository : undefined);
  },
};
