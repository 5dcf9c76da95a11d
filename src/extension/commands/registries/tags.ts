/** Tags of a registry: their reference, digest and page, and their deletion. Pulling is a command of images. */
import type { TagNode } from '../../views/nodes.ts';
import { EngineError, kindOf } from '../../../lib/errors.ts';
import { familiarReference } from '../../../lib/image/reference.ts';
import { DOCKER_HUB, GHCR } from '../../registries/registries.ts';
import { registryName } from '../../views/registries.ts';
import type { Command, Desk } from '../desk.ts';
import { chooseHost, chooseTags, registriesOf } from './targets.ts';

function textOf({ host, repository, tag }: TagNode): string {
  return familiarReference({ domain: host, path: repository, tag, digest: undefined });
}

export const copyReference: Command = {
  id: 'pinnace.tag.copyReference',
  title: 'Copy Reference',
  category: 'Pinnace Registries',
  run: async (desk, targets) => {
    const tags = await chooseTags(desk, targets, 'Copy the reference of which tag?');
    if (tags.length > 0) await desk.copy(tags.map(textOf).join('\n'));
  },
};

export const copyDigest: Command = {
  id: 'pinnace.tag.copyDigest',
  title: 'Copy Digest',
  category: 'Pinnace Registries',
  run: async (desk, targets) => {
    const tags = await chooseTags(desk, targets, 'Copy the digest of which tag?');
    if (tags.length === 0) return;
    const digests = await desk.progress('Asking for the digest', (signal) =>
      Promise.all(
        tags.map(async ({ host, repository, tag }) => {
          const browser = await registriesOf(desk).browser(host);
          return browser.digest(repository, tag, signal);
        }),
      ),
    );
    await desk.copy(digests.join('\n'));
  },
};

export const openInBrowser: Command = {
  id: 'pinnace.registry.openInBrowser',
  title: 'Open in Browser',
  category: 'Pinnace Registries',
  icon: '$(link-external)',
  run: async (desk, targets) => {
    const [node] = targets;
    const host = await chooseHost(desk, targets, 'Open which registry?');
    if (host === undefined) return;
    const repository =
      node?.kind === 'repository' || node?.kind === 'tag' ? node.repository : undefined;
    await desk.openExternal(pageOf(host, repository));
  },
};

/** The page for people: of the registries that have one, else the registry's own address. */
function pageOf(host: string, repository: string | undefined): string {
  if (host === DOCKER_HUB) {
    if (repository === undefined) return 'https://hub.docker.com/';
    return repository.startsWith('library/')
      ? `https://hub.docker.com/_/${repository.slice('library/'.length)}`
      : `https://hub.docker.com/r/${repository}`;
  }
  if (host === GHCR) {
    const [owner, ...rest] = (repository ?? '').split('/');
    return owner === undefined || rest.length === 0
      ? 'https://github.com/features/packages'
      : `https://github.com/orgs/${owner}/packages/container/package/${encodeURIComponent(rest.join('/'))}`;
  }
  const scheme = /^(localhost|127\.\d+\.\d+\.\d+)(:|$)/.test(host) ? 'http' : 'https';
  return `${scheme}://${host}/${repository === undefined ? '' : `v2/${repository}/tags/list`}`;
}

export const remove: Command = {
  id: 'pinnace.tag.delete',
  title: 'Delete Tag…',
  category: 'Pinnace Registries',
  run: async (desk, targets) => {
    const [tag] = await chooseTags(desk, targets, 'Delete which tag?');
    if (tag === undefined) return;
    const text = textOf(tag);
    const sure = await desk.confirm({
      message: `Delete ${text} on ${registryName(tag.host)}?`,
      detail: 'Everybody who uses the registry loses it. It cannot be undone.',
      action: 'Delete',
    });
    if (!sure) return;
    try {
      await desk.progress(`Deleting ${text}`, (signal) => deleteTag(desk, tag, signal));
    } catch (error) {
      if (kindOf(error) !== 'not-implemented') throw error;
      if (!(await deleteImage(desk, tag))) return;
    }
    registriesOf(desk).look(tag.host, tag.repository);
    await desk.inform(`${text} is deleted.`);
  },
};

async function deleteTag(desk: Desk, { host, repository, tag }: TagNode, signal: AbortSignal) {
  const registries = registriesOf(desk);
  if (host === DOCKER_HUB) await (await registries.hub()).removeTag(repository, tag, signal);
  else await (await registries.browser(host)).removeTag(repository, tag, signal);
}

/** Where only whole images can be deleted: with all of their tags, which the user is told of. */
async function deleteImage(desk: Desk, { host, repository, tag }: TagNode): Promise<boolean> {
  const browser = await registriesOf(desk).browser(host);
  const { digest, others } = await desk.progress('Looking for other tags', async (signal) => {
    const wanted = await browser.digest(repository, tag, signal);
    const { names } = await browser.tags(repository, undefined, signal);
    if (names.length > 500)
      throw new EngineError(
        'not-implemented',
        `${host} deletes images with all of their tags, and ${repository} has too many to tell which.`,
      );
    const same: string[] = [];
    for (const name of names) {
      if (name === tag) continue;
      if ((await browser.digest(repository, name, signal)) === wanted) same.push(name);
    }
    return { digest: wanted, others: same };
  });
  const sure =
    others.length === 0 ||
    (await desk.confirm({
      message: `${host} deletes the image with all of its tags`,
      detail: `These go as well: ${others.join(', ')}`,
      action: 'Delete All',
    }));
  if (sure)
    await desk.progress('Deleting', (signal) => browser.removeDigest(repository, digest, signal));
  return sure;
}
