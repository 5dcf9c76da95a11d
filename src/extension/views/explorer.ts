/** Plugs the trees of what an engine holds into the editor: containers, images, volumes, networks. Wires; what rows say stands in the models. */
import * as vscode from 'vscode';
import { kindOf, messageOf } from '../../lib/errors.ts';
import { containerNode } from '../commands/targets.ts';
import { connectDropped } from '../commands/views/connect.ts';
import { ARRANGE } from '../commands/views/arrange.ts';
import type { Parts } from '../parts.ts';
import { Arrangements, TREES, type TreeName } from './arrangement.ts';
import { withBranches } from './branches.ts';
import { ContainersModel } from './containers/model.ts';
import { stateOf } from './containers/facts.ts';
import { ImagesModel } from './images/model.ts';
import { badgeOf, type Counts, descriptionOf, messageOf as messageOfTree } from './heading.ts';
import { NETWORKS } from './networks.ts';
import type { NetworkNode, Node, NodeKind } from './nodes.ts';
import type { Branch, TreeModel } from './row.ts';
import { type Dragged, draggedIds, type Drop, type ShownTree, showTree, treeMime } from './tree.ts';
import { UsedModel } from './used.ts';
import { VOLUMES } from './volumes.ts';
import { say } from '../words/say.ts';

/** What another area adds to the trees: rows beneath theirs, and things that may be dropped on them. */
export interface Graft {
  readonly branches: readonly Branch[];
  readonly drops: readonly Drop[];
}

interface CountedModel extends TreeModel {
  readonly counts: Counts;
  dispose(): void;
}

const HELD: Readonly<Record<TreeName, NodeKind>> = {
  containers: 'container',
  images: 'image',
  volumes: 'volume',
  networks: 'network',
};

/** How often texts like `Up 3 minutes` are looked at, in milliseconds. */
const TICK = 30_000;

export function plugExplorer(parts: Parts, graft: Graft = { branches: [], drops: [] }): void {
  const { context, desk, engines, live } = parts;
  const arrangements = new Arrangements(desk.workspaceMemory);
  const branched = (kind: NodeKind): boolean =>
    graft.branches.some(({ beneath }) => beneath.includes(kind));
  const containers = new ContainersModel({
    live,
    arrangements,
    now: Date.now,
    branched: branched('container'),
  });
  const models: Readonly<Record<TreeName, CountedModel>> = {
    containers,
    images: new ImagesModel({
      live,
      arrangements,
      now: Date.now,
      history: (image) => engines.active.client.images.history(image),
    }),
    volumes: new UsedModel(live, arrangements, VOLUMES),
    networks: new UsedModel(live, arrangements, NETWORKS),
  };
  for (const tree of TREES) {
    const drops = [...(tree === 'networks' ? [connectDrop(parts)] : []), ...graft.drops];
    const shown = show(parts, { tree, model: models[tree], branches: graft.branches, drops });
    context.subscriptions.push(
      shown,
      models[tree],
      dressed(parts, { tree, shown, model: models[tree], arrangements }),
    );
    if (tree !== 'containers') continue;
    context.subscriptions.push(ticking(shown, containers), looking(shown, parts));
  }
  context.subscriptions.push(
    vscode.commands.registerCommand(ARRANGE, (tree: unknown, filter: unknown) => {
      const known = TREES.find((name) => name === tree);
      if (known !== undefined) {
        arrangements.reload(known, typeof filter === 'string' ? filter : undefined);
      }
    }),
  );
}

interface Showing {
  readonly tree: TreeName;
  readonly model: CountedModel;
  readonly branches: readonly Branch[];
  readonly drops: readonly Drop[];
}

function show(parts: Parts, { tree, model, branches, drops }: Showing): ShownTree {
  const id = `pinnace.${tree}`;
  // A container beneath a network or a volume stands there as a name: its files are in its own tree.
  const own = branches.filter(({ beneath }) => beneath.includes(HELD[tree]));
  const shown = showTree({
    id,
    model: withBranches(model, own),
    drops,
    drag: (element) => dragged(element as Node),
  });
  const isOurs = (element: object): element is Node => !own.some((branch) => branch.owns(element));
  parts.context.subscriptions.push(parts.selection(id, () => shown.view.selection.filter(isOurs)));
  return shown;
}

function dragged(node: Node): Dragged | undefined {
  if (node.kind === 'container' || node.kind === 'network') return { text: node.name, id: node.id };
  if (node.kind === 'volume') return { text: node.name, id: node.name };
  return node.kind === 'image' ? { text: node.reference, id: node.id } : undefined;
}

interface Dressing {
  readonly tree: TreeName;
  readonly shown: ShownTree;
  readonly model: CountedModel;
  readonly arrangements: Arrangements;
}

/** Title, message and badge, and the context key of the filter's clear button. */
function dressed(
  { live }: Parts,
  { tree, shown, model, arrangements }: Dressing,
): vscode.Disposable {
  const { view } = shown;
  const dress = (): void => {
    const { filter } = arrangements.of(tree);
    const { state } = live;
    const words = messageOfTree({ state, filter, tree, counts: model.counts });
    const message = words === undefined ? undefined : say(words);
    // Setting a message, even the same, makes the editor hold the rows back for 200 ms.
    if ((view.message ?? '') !== (message ?? '')) view.message = message ?? '';
    view.description = descriptionOf(tree, state === 'off' ? undefined : model.counts) ?? '';
    if (tree !== 'containers') return;
    const running = [...live.all('container').values()].filter(
      (summary) => stateOf(summary) === 'running',
    ).length;
    view.badge = state === 'off' ? undefined : badgeOf(running);
  };
  const key = (): void => {
    const filtered = arrangements.of(tree).filter !== '';
    void vscode.commands.executeCommand('setContext', `pinnace.${tree}.filtered`, filtered);
  };
  const heard = [
    live.onDidChangeState(dress),
    live.onDidChange(({ kind }) => {
      if (kind === HELD[tree]) dress();
    }),
    model.onDidChange(dress),
    arrangements.onDidChange((changed) => {
      if (changed !== tree) return;
      dress();
      key();
    }),
  ];
  dress();
  key();
  return new vscode.Disposable(() => heard.forEach((each) => each.dispose()));
}

/** Time passes in a tree only while somebody looks at it. */
function ticking({ view }: ShownTree, model: ContainersModel): vscode.Disposable {
  let timer: NodeJS.Timeout | undefined;
  const follow = (): void => {
    clearInterval(timer);
    timer = undefined;
    if (!view.visible) return;
    model.tick();
    timer = setInterval(() => model.tick(), TICK);
  };
  const heard = view.onDidChangeVisibility(follow);
  follow();
  return new vscode.Disposable(() => {
    clearInterval(timer);
    heard.dispose();
  });
}

/** Whoever has seen the containers has been here. */
function looking({ view }: ShownTree, { firstSteps }: Parts): vscode.Disposable {
  if (view.visible) firstSteps.did('explore');
  return view.onDidChangeVisibility(({ visible }) => {
    if (visible) firstSteps.did('explore');
  });
}

function connectDrop({ desk, live, log }: Parts): Drop {
  const networkOf = (target: object | undefined): NetworkNode | undefined => {
    const node = target as Node | undefined;
    return node?.kind === 'network' ? node : undefined;
  };
  return {
    mime: treeMime('pinnace.containers'),
    accepts: (target) => networkOf(target) !== undefined,
    drop: async (target, items) => {
      const network = networkOf(target);
      if (network === undefined) return;
      const known = live.all('container');
      const nodes = (await draggedIds(items))
        .map((id) => known.get(id))
        .filter((summary) => summary !== undefined)
        .map(containerNode);
      if (nodes.length === 0) return;
      try {
        await connectDropped(desk, network, nodes);
      } catch (error) {
        if (kindOf(error) === 'cancelled') return;
        log.error(messageOf(error));
        await desk.complain(messageOf(error));
      }
    },
  };
}
