/** From the arguments that the editor calls a command with to the nodes that it is about. Pure. */
import type { Node } from '../views/nodes.ts';

export interface Call {
  readonly targets: readonly Node[];
  readonly argument: unknown;
}

const KINDS: ReadonlySet<unknown> = new Set<Node['kind']>([
  'container',
  'port',
  'image',
  'layer',
  'volume',
  'network',
  'group',
  'engine',
  'registry',
  'repository',
  'tag',
  'devcontainer',
  'file',
  'build',
  'build-step',
  'message',
]);

/**
 * Trees call with the row and all selected rows, key bindings with `{view}`, the palette with nothing, others with
 * an argument of their own. A row outside the selection stands for itself.
 */
export function callOf(
  args: readonly unknown[],
  selections: ReadonlyMap<string, () => readonly Node[]>,
): Call {
  const [first, second] = args;
  if (isNode(first)) {
    const rows = Array.isArray(second) ? second.filter(isNode) : [];
    return { targets: rows.includes(first) ? rows : [first], argument: undefined };
  }
  if (Array.isArray(first) && first.length > 0 && first.every(isNode))
    return { targets: first, argument: undefined };
  const selected = selectedBy(args, selections);
  if (selected !== undefined) return { targets: selected, argument: undefined };
  return { targets: [], argument: first };
}

/** The selected rows of the view that a key binding names; undefined for other calls. */
export function selectedBy(
  [first]: readonly unknown[],
  selections: ReadonlyMap<string, () => readonly Node[]>,
): readonly Node[] | undefined {
  return isView(first) ? selections.get(first.view)?.() : undefined;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'kind' in value && KINDS.has(value.kind);
}

function isView(value: unknown): value is { readonly view: string } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'view' in value &&
    typeof value.view === 'string' &&
    Object.keys(value).length === 1
  );
}
