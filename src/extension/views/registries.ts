/** The tree of registries as data: registries, their repositories, their tags, and rows that say what is missing. Pure but for the catalog it asks. */
import { messageOf } from '../../lib/errors.ts';
import { formatReference } from '../../lib/image/reference.ts';
import { sizeText } from '../../lib/text/amounts.ts';
import type { Listener } from '../engine/engines.ts';
import type { RepositoryFacts, Shelf, TagFacts } from '../registries/catalog.ts';
import type { Registries } from '../registries/registries.ts';
import type { MessageNode, RegistryNode, RepositoryNode, TagNode } from './nodes.ts';
import {
  type Changed,
  type Hover,
  Listeners,
  messageRow,
  type Row,
  type TreeModel,
} from './row.ts';

/** The row behind a list that goes on. */
export interface MoreNode {
  readonly kind: 'more';
  readonly host: string;
  readonly repository: string | undefined;
}

export type RegistryElement = RegistryNode | RepositoryNode | TagNode | MessageNode | MoreNode;

interface Held {
  readonly parent: RegistryElement | undefined;
  readonly repository?: RepositoryFacts;
  readonly tag?: TagFacts;
  readonly login?: string | undefined;
  /** What a click on a message asks again. */
  readonly retry?: RegistryElement;
}

const NAMES: Readonly<Record<string, string>> = {
  'docker.io': 'Docker Hub',
  'ghcr.io': 'GitHub Container Registry',
};

export function registryName(host: string): string {
  return NAMES[host] ?? host;
}

export class RegistriesModel implements TreeModel<RegistryElement> {
  private readonly registries: Registries;
  private readonly now: () => number;
  private readonly held = new WeakMap<RegistryElement, Held>();
  private readonly listeners = new Listeners<Changed<RegistryElement>>();
  private roots = new Map<string, RegistryNode>();

  constructor(registries: Registries, now: () => number = Date.now) {
    this.registries = registries;
    this.now = now;
    registries.onDidChange((host) => void this.changed(host));
    registries.onDidLook(({ host }) => void this.changed(host));
  }

  /** Shows one registry anew, the others stay as they are: until the editor has a refreshed row again, commands on it are about nothing. */
  private async changed(host: string | undefined): Promise<void> {
    const root = this.roots.get(host ?? '');
    if (root !== undefined) await this.readLogin(root);
    this.listeners.call(root === undefined ? 'all' : [root]);
  }

  async children(element: RegistryElement | undefined): Promise<readonly RegistryElement[]> {
    if (element === undefined) return this.registryNodes();
    if (element.kind !== 'registry' && element.kind !== 'repository') return [];
    try {
      return element.kind === 'registry'
        ? await this.repositoryNodes(element)
        : await this.tagNodes(element);
    } catch (error) {
      const text = `${messageOf(error)} — click to try again`;
      const message: MessageNode = { kind: 'message', text: capital(text), level: 'error' };
      this.held.set(message, { parent: element, retry: element });
      return [message];
    }
  }

  parent(element: RegistryElement): RegistryElement | undefined {
    return this.held.get(element)?.parent;
  }

  row(element: RegistryElement): Row {
    const held = this.held.get(element);
    if (element.kind === 'registry') return registryRow(element, held?.login);
    if (element.kind === 'repository') return repositoryRow(element, held?.repository);
    if (element.kind === 'tag') return tagRow(element, held?.tag, this.now());
    if (element.kind === 'more') return moreRow(element);
    const above = held?.parent === undefined ? '' : this.row(held.parent).id;
    const row = messageRow(element, `message/${above}/${element.text}`);
    const retry = held?.retry;
    if (retry === undefined) return row;
    const command = { id: 'pinnace.registry.refresh', title: 'Try Again', arguments: [retry] };
    return { ...row, context: `${row.context} retry`, command };
  }

  async hover(element: RegistryElement): Promise<Hover | undefined> {
    if (element.kind !== 'tag') return undefined;
    const { host, repository, tag } = element;
    const browser = await this.registries.browser(host);
    const lines = await browser.image(repository, tag).then(
      ({ digest, size, platforms }) => [
        `${sizeText(size)}, compressed`,
        platforms.filter((platform) => platform !== '').join(', '),
        digest,
      ],
      (error: unknown) => [messageOf(error)],
    );
    const text = [referenceOf(element), ...lines].filter((line) => line !== '');
    return {
      markdown: text.map((line) => `\`${line.replaceAll('`', "'")}\``).join('\n\n'),
      commands: [],
    };
  }

  onDidChange(listener: (changed: Changed<RegistryElement>) => void): Listener {
    return this.listeners.add(listener);
  }

  private async registryNodes(): Promise<RegistryElement[]> {
    const roots = new Map<string, RegistryNode>();
    for (const { host } of this.registries.list()) {
      const node = this.roots.get(host) ?? { kind: 'registry', host };
      await this.readLogin(node);
      roots.set(host, node);
    }
    this.roots = roots;
    return [...roots.values()];
  }

  private async readLogin(node: RegistryNode): Promise<void> {
    // A login that cannot be read is no reason to show no registries; unfolding tells it.
    const account = await this.registries.account(node.host).catch(() => undefined);
    const login = account?.username === '' ? 'token' : account?.username;
    this.held.set(node, { parent: undefined, login });
  }

  private async repositoryNodes(parent: RegistryNode): Promise<RegistryElement[]> {
    const { host } = parent;
    const shelf = await this.registries.catalog.repositories(host);
    const nodes = shelf.items.map((facts): RegistryElement => {
      const node: RepositoryNode = { kind: 'repository', host, repository: facts.name };
      this.held.set(node, { parent, repository: facts });
      return node;
    });
    return [...nodes, ...this.tail(parent, shelf, 'It has no repositories.')];
  }

  private async tagNodes(parent: RepositoryNode): Promise<RegistryElement[]> {
    const { host, repository } = parent;
    const shelf = await this.registries.catalog.tags(host, repository);
    const nodes = shelf.items.map((facts): RegistryElement => {
      const node: TagNode = { kind: 'tag', host, repository, tag: facts.name };
      this.held.set(node, { parent, tag: facts });
      return node;
    });
    return [...nodes, ...this.tail(parent, shelf, 'It has no tags.')];
  }

  private tail(
    parent: RegistryNode | RepositoryNode,
    { items, isCut, note }: Shelf<unknown>,
    empty: string,
  ): RegistryElement[] {
    const repository = parent.kind === 'repository' ? parent.repository : undefined;
    const more: MoreNode = { kind: 'more', host: parent.host, repository };
    const text = note ?? (items.length === 0 && !isCut ? empty : undefined);
    const message: MessageNode = { kind: 'message', text: text ?? '', level: 'info' };
    const nodes = [...(isCut ? [more] : []), ...(text === undefined ? [] : [message])];
    for (const node of nodes) this.held.set(node, { parent });
    return nodes;
  }
}

/** `busybox:1.0` for engines: `docker.io/library/busybox:1.0`. */
function referenceOf({ host, repository, tag }: TagNode): string {
  return formatReference({ domain: host, path: repository, tag, digest: undefined });
}

function registryRow({ host }: RegistryNode, login: string | undefined): Row {
  const name = registryName(host);
  const description = [name === host ? '' : host, login === undefined ? '' : `signed in: ${login}`]
    .filter((part) => part !== '')
    .join(' · ');
  return {
    id: `registry/${host}`,
    label: name,
    ...(description === '' ? {} : { description }),
    icon: { name: host === 'ghcr.io' ? 'github' : 'server' },
    context: `registry ${login === undefined ? 'anonymous' : 'signedIn'}`,
    fold: 'closed',
    accessible: `registry ${name}, ${login === undefined ? 'not signed in' : `signed in as ${login}`}`,
  };
}

function repositoryRow({ host, repository }: RepositoryNode, facts?: RepositoryFacts): Row {
  const label = host === 'docker.io' ? repository.replace(/^library\//, '') : repository;
  const notes = [facts?.isPrivate === true ? 'private' : '', facts?.description ?? ''];
  const description = notes.filter((note) => note !== '').join(' · ');
  return {
    id: `registry/${host}/${repository}`,
    label,
    ...(description === '' ? {} : { description }),
    icon: { name: facts?.isPrivate === true ? 'lock' : 'repo' },
    context: 'repository',
    fold: 'closed',
    accessible: `repository ${label}${description === '' ? '' : `, ${description}`}`,
  };
}

function tagRow(node: TagNode, facts: TagFacts | undefined, now: number): Row {
  const { host, repository, tag } = node;
  const parts = [
    facts?.updated === undefined ? '' : ageText(now - facts.updated),
    facts?.size === undefined || facts.size === 0 ? '' : sizeText(facts.size),
  ];
  const description = parts.filter((part) => part !== '').join(' · ');
  return {
    id: `registry/${host}/${repository}:${tag}`,
    label: tag,
    ...(description === '' ? {} : { description }),
    icon: { name: 'tag' },
    context: `tag ${host === 'docker.io' ? 'hub' : 'registry'}`,
    fold: 'leaf',
    accessible: `tag ${tag}${description === '' ? '' : `, ${description}`}`,
  };
}

function moreRow(node: MoreNode): Row {
  const { host, repository } = node;
  const what = repository === undefined ? 'Repositories' : 'Tags';
  return {
    id: `more/${host}/${repository ?? ''}`,
    label: `Show More ${what}`,
    icon: { name: 'ellipsis' },
    context: 'more',
    fold: 'leaf',
    accessible: `show more ${what.toLowerCase()} of ${repository ?? host}`,
    command: {
      id: 'pinnace.registry.more',
      title: 'Show More',
      arguments: [{ host, repository }],
    },
  };
}

const AGES: readonly (readonly [number, string])[] = [
  [365 * 86_400_000, 'year'],
  [30 * 86_400_000, 'month'],
  [86_400_000, 'day'],
  [3_600_000, 'hour'],
  [60_000, 'minute'],
];

function ageText(milliseconds: number): string {
  for (const [unit, name] of AGES) {
    const count = Math.floor(milliseconds / unit);
    if (count >= 1) return `${String(count)} ${name}${count === 1 ? '' : 's'} ago`;
  }
  return 'just now';
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
