/** The tree of images: tags beneath their repositories, layers beneath them, and what has changed. Pure; layers are asked for through a function. */
import type { ImageHistoryItem, ImageSummary } from '../../../lib/api/images.ts';
import type { Listener } from '../../engine/engines.ts';
import type { Change, LiveStore } from '../../live/store.ts';
import type { Arrangement, Arrangements } from '../arrangement.ts';
import { nameOf } from '../containers/facts.ts';
import { newestFirst } from '../containers/model.ts';
import { GroupedList, type Place } from '../grouped.ts';
import { Members } from '../members.ts';
import type { GroupNode, ImageNode, LayerNode, Node } from '../nodes.ts';
import { type By, Roots } from '../roots.ts';
import type { Changed, Hover, Row, TreeModel } from '../row.ts';
import { matches, naturalKey, shortId } from '../text.ts';
import { layerHover, layerRow, layersOf } from './layers.ts';
import {
  imageGroupRow,
  imageHover,
  imageRow,
  sentImage,
  splitTag,
  tagsOf,
  UNTAGGED,
} from './row.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

interface Options {
  readonly live: LiveStore;
  readonly arrangements: Arrangements;
  readonly now: () => number;
  /** An image's history, newest first. */
  readonly history: (image: string) => Promise<readonly ImageHistoryItem[]>;
}

interface Beneath {
  readonly image: ImageNode;
  /** Bytes of the layers beneath. */
  readonly below: number;
}

export class ImagesModel implements TreeModel {
  private readonly options: Options;
  private readonly list = new GroupedList<ImageNode, GroupNode>(({ heading, children }) => ({
    kind: 'group',
    of: 'image',
    id: heading.id,
    label: heading.label,
    children,
  }));
  /** By reference: a tag is one row, whichever image it names. */
  private readonly nodes = new Map<string, Writable<ImageNode>>();
  private readonly references = new Map<string, readonly string[]>();
  private readonly layers = new WeakMap<ImageNode, { of: string; nodes: readonly LayerNode[] }>();
  private readonly beneath = new WeakMap<LayerNode, Beneath>();
  private readonly users = new Members(({ ImageID }) => [bare(ImageID)]);
  private readonly roots: Roots<ImageNode, GroupNode>;

  constructor(options: Options) {
    this.options = options;
    this.roots = new Roots({
      live: options.live,
      arrangements: options.arrangements,
      tree: 'images',
      kind: 'image',
      list: this.list,
      fill: (by) => this.fill(by),
      update: (ids, by) => this.updateAll(ids, by),
      users: (ids, by) => this.hearUsers(ids, by),
    });
  }

  /** Rows that are shown, images that there are, and their bytes (layers that they share are counted for each). */
  get counts(): { readonly shown: number; readonly all: number; readonly bytes: number } {
    const all = this.options.live.all('image');
    let bytes = 0;
    for (const { Size } of all.values()) bytes += Math.max(0, Size);
    return { shown: this.list.size, all: all.size, bytes };
  }

  get comparisons(): number {
    return this.list.comparisons;
  }

  children(element: Node | undefined): Promise<readonly Node[]> {
    if (element === undefined) return this.roots.children();
    if (element.kind === 'image') return this.layersOf(element);
    return Promise.resolve(element.kind === 'group' ? [...element.children] : []);
  }

  parent(element: Node): Node | undefined {
    if (element.kind === 'layer') return this.beneath.get(element)?.image;
    return element.kind === 'image' ? this.list.parent(element) : undefined;
  }

  row(element: Node): Row {
    if (element.kind === 'group') return imageGroupRow(element);
    if (element.kind === 'layer') {
      const place = this.beneath.get(element);
      return layerRow(element, place?.image.reference ?? element.image, place?.below ?? 0);
    }
    const node = element as ImageNode;
    const grouped = this.list.parent(node) !== undefined;
    return imageRow(node, { grouped, users: this.namesOf(node), now: this.options.now() });
  }

  hover(element: Node): Hover | undefined {
    if (element.kind === 'layer') return layerHover(element);
    if (element.kind !== 'image') return undefined;
    return imageHover(element, { users: this.namesOf(element), now: this.options.now() });
  }

  onDidChange(listener: (changed: Changed<Node>) => void): Listener {
    return this.roots.onDidChange(listener);
  }

  /** The node of a reference that is shown. */
  find(reference: string): ImageNode | undefined {
    return this.list.get(reference);
  }

  dispose(): void {
    this.roots.dispose();
  }

  private updateAll(ids: ReadonlySet<string>, by: By): void {
    const all = this.options.live.all('image');
    // What is gone first, so that a tag that moved is taken from the old image and then given to the new one.
    for (const id of ids) if (!all.has(id)) this.update(id, undefined, by);
    for (const id of ids) this.update(id, all.get(id), by);
  }

  private hearUsers(ids: Change['ids'], by: By): void {
    const touched = this.users.hear(ids, this.options.live.all('container'));
    if (touched.size === 0) return;
    const all = this.options.live.all('image');
    for (const id of touched) {
      const full = all.has(id) ? id : `sha256:${id}`;
      const summary = all.get(full);
      if (summary !== undefined) this.update(full, summary, by);
    }
    this.roots.tell();
  }

  private fill(by: By): void {
    const { live } = this.options;
    const all = live.all('image');
    this.users.rebuild(live.all('container'));
    this.list.clear();
    this.references.clear();
    const gone = new Set(this.nodes.keys());
    const sorted = [...all.values()].flatMap((summary) =>
      referencesOf(summary).map((reference) => ({
        reference,
        summary,
        place: placeOf(reference, summary, by.arrangement),
      })),
    );
    sorted.sort((a, b) =>
      a.place.order < b.place.order ? -1 : a.place.order > b.place.order ? 1 : 0,
    );
    for (const { reference, summary, place } of sorted) {
      gone.delete(reference);
      this.show(reference, summary, place, by.words);
    }
    for (const summary of all.values()) this.references.set(summary.Id, referencesOf(summary));
    for (const reference of gone) this.nodes.delete(reference);
  }

  private update(id: string, summary: ImageSummary | undefined, by: By): void {
    const references = summary === undefined ? [] : referencesOf(summary);
    for (const reference of this.references.get(id) ?? []) {
      if (references.includes(reference) || this.nodes.get(reference)?.id !== id) continue;
      this.nodes.delete(reference);
      this.list.take(reference);
    }
    if (summary === undefined) this.references.delete(id);
    else {
      this.references.set(id, references);
      for (const reference of references) {
        this.show(reference, summary, placeOf(reference, summary, by.arrangement), by.words);
      }
    }
  }

  private show(
    reference: string,
    summary: ImageSummary,
    place: Place,
    words: readonly string[],
  ): void {
    const node = this.nodeOf(reference, summary);
    const shown =
      words.length === 0 || matches(words, `${reference}\n${shortId(summary.Id)}`.toLowerCase());
    if (shown) this.list.put(reference, node, place);
    else this.list.take(reference);
  }

  private nodeOf(reference: string, summary: ImageSummary): ImageNode {
    const known = this.nodes.get(reference);
    if (known === undefined) {
      const made: Writable<ImageNode> = { kind: 'image', id: summary.Id, reference, summary };
      this.nodes.set(reference, made);
      return made;
    }
    known.id = summary.Id;
    known.summary = summary;
    return known;
  }

  /** Asked for once per image: what is under an id never changes. */
  private async layersOf(node: ImageNode): Promise<readonly LayerNode[]> {
    const { id } = node;
    const known = this.layers.get(node);
    if (known?.of === id) return known.nodes;
    const nodes = layersOf(id, await this.options.history(id));
    let below = 0;
    for (const layer of nodes) {
      this.beneath.set(layer, { image: node, below });
      below += layer.size;
    }
    this.layers.set(node, { of: id, nodes });
    return nodes;
  }

  private namesOf({ id }: ImageNode): readonly string[] {
    const containers = this.options.live.all('container');
    return [...this.users.of(bare(id))].flatMap((user) => {
      const summary = containers.get(user);
      return summary === undefined ? [] : [nameOf(summary)];
    });
  }
}

function bare(id: string | null): string {
  return (id ?? '').replace(/^sha256:/, '');
}

function referencesOf(summary: ImageSummary): readonly string[] {
  const tags = tagsOf(summary);
  return tags.length === 0 ? [summary.Id] : tags;
}

function placeOf(reference: string, summary: ImageSummary, { group, sort }: Arrangement): Place {
  const { repository, tag } = splitTag(reference);
  const key = naturalKey(group === 'none' ? `${repository}:${tag}` : tag);
  const order =
    sort === 'created'
      ? `${newestFirst(sentImage(summary).Created)} ${key}`
      : sort === 'size'
        ? `${newestFirst(summary.Size)} ${key}`
        : key;
  if (group === 'none') return { group: undefined, order };
  // Those without a tag come last.
  const heading = repository === UNTAGGED ? '\u{10ffff}' : naturalKey(repository);
  return { group: { id: repository, label: repository, order: heading }, order };
}
