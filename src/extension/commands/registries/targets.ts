/** Which registry, repository or tag a command is about: the selected one, or the one that the user picks. */
import { EngineError } from '../../../lib/errors.ts';
import type { Registries, SignedIn } from '../../registries/registries.ts';
import type { Node, RepositoryNode, TagNode } from '../../views/nodes.ts';
import { registryName } from '../../views/registries.ts';
import type { Desk } from '../desk.ts';

/** Throws EngineError (unavailable) in the moment before the area is there. */
export function registriesOf(desk: Desk): Registries {
  const { registries } = desk.credentials;
  if (registries === undefined)
    throw new EngineError('unavailable', 'The registries are not ready yet; try again.');
  return registries;
}

/** The host of a selected row, or of the one that is picked; undefined when nothing is. */
export async function chooseHost(
  desk: Desk,
  targets: readonly Node[],
  title: string,
  accept: (account: SignedIn | undefined) => boolean = () => true,
): Promise<string | undefined> {
  for (const node of targets) {
    if (node.kind === 'registry' || node.kind === 'repository' || node.kind === 'tag')
      return node.host;
  }
  const registries = registriesOf(desk);
  const items = await Promise.all(
    registries.list().map(async ({ host }) => {
      const account = await registries.account(host).catch(() => undefined);
      const description = account === undefined ? '' : `signed in: ${account.username}`;
      return { label: registryName(host), description, value: host, account };
    }),
  );
  const fitting = items.filter(({ account }) => accept(account));
  if (fitting.length === 0) throw new EngineError('conflict', 'You are signed in nowhere.');
  return desk.pick(title, fitting);
}

/** The selected repository, or one that is picked. */
export async function chooseRepository(
  desk: Desk,
  targets: readonly Node[],
  title: string,
): Promise<RepositoryNode | undefined> {
  const [selected] = targets.filter((node) => node.kind === 'repository');
  if (selected !== undefined) return selected;
  const host = await chooseHost(desk, targets, title);
  if (host === undefined) return undefined;
  const { items, note } = await registriesOf(desk).catalog.repositories(host);
  if (items.length === 0)
    throw new EngineError('conflict', note ?? `${registryName(host)} shows no repositories.`);
  const choices = items.map(({ name, description }) => ({
    label: name,
    ...(description === undefined ? {} : { description }),
    value: name,
  }));
  const repository = await desk.pick(title, choices);
  return repository === undefined ? undefined : { kind: 'repository', host, repository };
}

/** The selected tags, or one that is picked. */
export async function chooseTags(
  desk: Desk,
  targets: readonly Node[],
  title: string,
): Promise<readonly TagNode[]> {
  const selected = targets.filter((node) => node.kind === 'tag');
  if (selected.length > 0) return selected;
  const repository = await chooseRepository(desk, targets, title);
  if (repository === undefined) return [];
  const { host, repository: path } = repository;
  const { items } = await registriesOf(desk).catalog.tags(host, path);
  if (items.length === 0) throw new EngineError('conflict', `${path} has no tags.`);
  const tag = await desk.pick(
    title,
    items.map(({ name }) => ({ label: name, value: name })),
  );
  return tag === undefined ? [] : [{ kind: 'tag', host, repository: path, tag }];
}
