/** What a row of a tree looks like and how a tree is asked for its rows, as data. Pure: knows no editor, asks no engine. */
import type { Listener } from '../engine/engines.ts';
import type { MessageNode, Node, NodeKind } from './nodes.ts';

export interface RowIcon {
  /** A codicon's name, `vm-running`. */
  readonly name: string;
  /** A theme colour's id, `charts.green`. */
  readonly color?: string;
}

export interface Row {
  /** Unique in its tree and the same for the same thing, so that the editor keeps what is unfolded and selected. */
  readonly id: string;
  readonly label: string;
  readonly description?: string;
  readonly icon?: RowIcon;
  /** The `viewItem` of menus: words, the kind first. */
  readonly context: string;
  readonly fold: 'leaf' | 'closed' | 'open';
  /** What a screen reader says; the whole of what is seen. */
  readonly accessible: string;
  /** A resource's address, where the editor shall add the file icon and decorations of it. */
  readonly resource?: string;
  /** What a click or Enter runs. */
  readonly command?: {
    readonly id: string;
    readonly title: string;
    readonly arguments?: readonly unknown[];
  };
}

/** The text beside the pointer. Everything of others is escaped (`escapeMarkdown`) by who makes it. */
export interface Hover {
  readonly markdown: string;
  /** The only commands that links in the text may run. */
  readonly commands: readonly string[];
}

/** `all`: the whole tree; otherwise the elements whose rows, or whose children, are other ones now. */
export type Changed<E> = 'all' | readonly E[];

/**
 * A tree as the adapter (tree.ts) shows it. Elements are compared by identity: the same thing is the same object for as
 * long as it is shown, and what it holds may be replaced inside it.
 */
export interface TreeModel<E extends object = Node> {
  /** The children, the roots for undefined. A rejection's message becomes a row. */
  children(element: E | undefined): readonly E[] | Promise<readonly E[]>;
  /** Undefined for roots. */
  parent(element: E): E | undefined;
  row(element: E): Row;
  /** Asked when the pointer rests on the row. */
  hover?(element: E): Hover | undefined | Promise<Hover | undefined>;
  onDidChange(listener: (changed: Changed<E>) => void): Listener;
}

/** Children that another area hangs beneath rows of a tree, such as the files of a container. Its elements are its own. */
export interface Branch<E extends object = object> {
  /** Kinds of nodes that it has children for. */
  readonly beneath: readonly NodeKind[];
  /** Whether the element is one of its own (then it answers for it). */
  owns(element: object): element is E;
  /** The first rows beneath a node: none where there is nothing to show. Called each time the node is unfolded. */
  roots(node: Node): readonly E[] | Promise<readonly E[]>;
  children(element: E): readonly E[] | Promise<readonly E[]>;
  /** Undefined for what `roots` gave. */
  parent(element: E): E | undefined;
  row(element: E): Row;
  hover?(element: E): Hover | undefined | Promise<Hover | undefined>;
  onDidChange(listener: (changed: readonly (E | Node)[]) => void): Listener;
}

const MESSAGE_ICONS: Readonly<Record<MessageNode['level'], RowIcon>> = {
  info: { name: 'info' },
  warning: { name: 'warning', color: 'list.warningForeground' },
  error: { name: 'error', color: 'list.errorForeground' },
};

/** The row of a message: the same in every tree. */
export function messageRow(node: MessageNode, id: string): Row {
  return {
    id,
    label: node.text,
    icon: MESSAGE_ICONS[node.level],
    context: `message ${node.level}`,
    fold: 'leaf',
    accessible: `${node.level === 'info' ? '' : `${node.level}: `}${node.text}`,
  };
}

/** Listeners, called in the order in which they came. */
export class Listeners<A> {
  private readonly all = new Set<(argument: A) => void>();

  add(listener: (argument: A) => void): Listener {
    const own = (argument: A): void => listener(argument);
    this.all.add(own);
    return { dispose: () => void this.all.delete(own) };
  }

  call(argument: A): void {
    for (const listener of [...this.all]) listener(argument);
  }
}
