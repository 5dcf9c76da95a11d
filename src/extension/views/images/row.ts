/** What images and their headings look like as rows, and what is told of them beside the pointer. Pure. */
import type { ImageSummary } from '../../../lib/api/images.ts';
import type { Sent } from '../containers/facts.ts';
import type { GroupNode, ImageNode } from '../nodes.ts';
import type { Hover, Row } from '../row.ts';
import { clean, escapeMarkdown, plural, shortId, size, span } from '../text.ts';

export function sentImage(summary: ImageSummary): Sent<ImageSummary> {
  return summary;
}

export const UNTAGGED = '<none>';

/** Tags, without the `<none>:<none>` of old engines. */
export function tagsOf(summary: ImageSummary): readonly string[] {
  const tags: readonly unknown[] = sentImage(summary).RepoTags ?? [];
  return tags.filter(
    (tag): tag is string => typeof tag === 'string' && tag !== '' && !tag.includes(UNTAGGED),
  );
}

/** `localhost:5000/a/b:tag` → its repository and `tag`; an image without a tag is beneath `<none>` by its id. */
export function splitTag(reference: string): { readonly repository: string; readonly tag: string } {
  const colon = reference.lastIndexOf(':');
  if (/^(sha256:)?[0-9a-f]{64}$/.test(reference)) {
    return { repository: UNTAGGED, tag: shortId(reference) };
  }
  return colon > reference.lastIndexOf('/')
    ? { repository: reference.slice(0, colon), tag: reference.slice(colon + 1) }
    : { repository: reference, tag: 'latest' };
}

export interface ImageFace {
  /** Whether it stands beneath a heading that names its repository. */
  readonly grouped: boolean;
  /** Names of the containers that use it. */
  readonly users: readonly string[];
  /** Milliseconds since the epoch. */
  readonly now: number;
}

function ageOf(created: unknown, now: number): string {
  if (typeof created !== 'number' || created <= 0) return '';
  return `${span(now / 1000 - created)} ago`;
}

export function imageRow(node: ImageNode, { grouped, users, now }: ImageFace): Row {
  const { summary, reference } = node;
  const { repository, tag } = splitTag(reference);
  const dangling = repository === UNTAGGED;
  const label = clean(grouped || dangling ? tag : `${repository}:${tag}`);
  const used = users.length === 0 ? '' : `used by ${plural(users.length, 'container')}`;
  const facts = [size(summary.Size), ageOf(sentImage(summary).Created, now), used];
  const description = facts.filter((text) => text !== '').join(' · ');
  const words = ['image', dangling ? 'dangling' : 'tagged', ...(users.length > 0 ? ['used'] : [])];
  const name = dangling ? `without a tag ${tag}` : clean(reference);
  return {
    id: `image/${reference}`,
    label,
    description,
    icon:
      users.length > 0
        ? { name: 'package', color: 'charts.green' }
        : dangling
          ? { name: 'circle-slash', color: 'disabledForeground' }
          : { name: 'package' },
    context: words.join(' '),
    fold: 'closed',
    accessible: [`image ${name}`, ...facts.filter((text) => text !== '')].join(', '),
  };
}

export function imageGroupRow(group: GroupNode): Row {
  const images = group.children.filter((child): child is ImageNode => child.kind === 'image');
  const sizes = new Map(images.map(({ id, summary }) => [id, summary.Size]));
  const total = size([...sizes.values()].reduce((sum, bytes) => sum + Math.max(0, bytes), 0));
  const dangling = group.label === UNTAGGED;
  const count = plural(images.length, dangling ? 'image' : 'tag');
  const label = clean(group.label);
  return {
    id: `group/image/${group.id}`,
    label,
    description: [count, total].filter((text) => text !== '').join(' · '),
    icon: { name: dangling ? 'archive' : 'repo' },
    context: dangling ? 'group image dangling' : 'group image repository',
    fold: 'closed',
    accessible: `${dangling ? 'images without a tag' : `repository ${label}`}, ${count}, ${total}`,
  };
}

const MOST_NAMED = 10;

/** `a, b and 3 more`, of at most ten. */
export function named(names: readonly string[]): string {
  const first = names.slice(0, MOST_NAMED).map((name) => escapeMarkdown(name));
  const more = names.length - first.length;
  return more > 0 ? `${first.join(', ')} and ${more} more` : first.join(', ');
}

export function imageHover(node: ImageNode, { users, now }: Omit<ImageFace, 'grouped'>): Hover {
  const { summary } = node;
  const digests: readonly string[] = sentImage(summary).RepoDigests ?? [];
  const created = sentImage(summary).Created;
  const others = tagsOf(summary).filter((tag) => tag !== node.reference);
  const rows: readonly (readonly [string, string])[] = [
    ['Id', escapeMarkdown(shortId(node.id))],
    ['Size', escapeMarkdown(size(summary.Size))],
    ['Created', escapeMarkdown(ageOf(created, now))],
    ['Also tagged', named(others)],
    ['Digest', named(digests.map((digest) => digest.slice(digest.indexOf('@') + 1)))],
    ['Used by', named(users)],
  ];
  return {
    markdown: [
      `**${escapeMarkdown(splitTag(node.reference).repository === UNTAGGED ? shortId(node.reference) : node.reference)}**`,
      '',
      '| | |',
      '|:--|:--|',
      ...rows.flatMap(([name, text]) => (text === '' ? [] : [`| ${name} | ${text} |`])),
      '',
    ].join('\n'),
    commands: [],
  };
}
