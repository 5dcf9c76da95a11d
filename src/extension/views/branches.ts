/** Hangs the branches of other areas beneath the rows of a tree: one model out of a model and its branches. Pure. */
import type { Node } from './nodes.ts';
import { type Branch, Listeners, type Row, type TreeModel } from './row.ts';

/** The model with the branches' rows behind its own children. */
export function withBranches(model: TreeModel, branches: readonly Branch[]): TreeModel<object> {
  if (branches.length === 0) return widen(model);
  const roofs = new WeakMap<object, Node>();
  const ownerOf = (element: object): Branch | undefined =>
    branches.find((branch) => branch.owns(element));
  const beneath = (node: Node): Branch[] =>
    branches.filter((branch) => branch.beneath.includes(node.kind));
  const rootsOf = async (branch: Branch, node: Node): Promise<readonly object[]> => {
    const roots = await branch.roots(node);
    for (const root of roots) roofs.set(root, node);
    return roots;
  };
  return {
    children(element) {
      if (element === undefined) return model.children(undefined);
      const owner = ownerOf(element);
      if (owner !== undefined) return owner.children(element);
      const node = element as Node;
      const more = beneath(node);
      const own = model.children(node);
      if (more.length === 0) return own;
      return Promise.all([own, ...more.map((branch) => rootsOf(branch, node))]).then((parts) =>
        parts.flat(),
      );
    },
    parent(element) {
      const owner = ownerOf(element);
      if (owner === undefined) return model.parent(element as Node);
      return owner.parent(element) ?? roofs.get(element);
    },
    row(element) {
      const owner = ownerOf(element);
      if (owner !== undefined) return owner.row(element);
      const row = model.row(element as Node);
      return beneath(element as Node).length > 0 ? unfoldable(row) : row;
    },
    hover(element) {
      const owner = ownerOf(element);
      return owner === undefined ? model.hover?.(element as Node) : owner.hover?.(element);
    },
    onDidChange(listener) {
      const heard = new Listeners<Parameters<typeof listener>[0]>();
      heard.add(listener);
      const parts = [
        model.onDidChange((changed) => heard.call(changed)),
        ...branches.map((branch) => branch.onDidChange((changed) => heard.call(changed))),
      ];
      return { dispose: () => parts.forEach((part) => part.dispose()) };
    },
  };
}

function unfoldable(row: Row): Row {
  return row.fold === 'leaf' ? { ...row, fold: 'closed' } : row;
}

/** The adapter hands a model nothing but what the model gave. */
function widen(model: TreeModel): TreeModel<object> {
  return {
    children: (element) => model.children(element as Node | undefined),
    parent: (element) => model.parent(element as Node),
    row: (element) => model.row(element as Node),
    hover: (element) => model.hover?.(element as Node),
    onDidChange: (listener) => model.onDidChange(listener),
  };
}
