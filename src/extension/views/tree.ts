/** Shows a tree model in a view of the editor: turns rows into tree items and changes into the smallest refreshes. Decides nothing itself. */
import * as vscode from 'vscode';
import { messageOf } from '../../lib/errors.ts';
import type { Listener } from '../engine/engines.ts';
import type { MessageNode } from './nodes.ts';
import { say, sayFacts } from '../words/say.ts';
import { type Changed, type Hover, messageRow, type Row, type TreeModel } from './row.ts';

/** Something that rows can be dropped with: from other trees, the file explorer or another program. */
export interface Drop {
  /** `application/vnd.code.tree.pinnace.containers`, `text/uri-list`; `files`: files of the machine that the browser runs on. */
  readonly mime: string;
  /** Whether `drop` is for this target; the first that says yes gets it. */
  accepts(target: object | undefined): boolean;
  drop(
    target: object | undefined,
    items: readonly [vscode.DataTransferItem, ...vscode.DataTransferItem[]],
    token: vscode.CancellationToken,
  ): Promise<void>;
}

export interface TreeOptions {
  /** `pinnace.containers`. */
  readonly id: string;
  readonly model: TreeModel<object>;
  readonly drops?: readonly Drop[];
  /** What a dragged row is elsewhere; undefined: not draggable. */
  readonly drag?: (element: object) => Dragged | undefined;
}

export interface Dragged {
  /** For terminals and documents. */
  readonly text: string;
  /** For other trees of ours: what they know it by. */
  readonly id: string;
}

export interface ShownTree extends Listener {
  readonly view: vscode.TreeView<object>;
}

/** The mime type under which the rows of a view travel inside this window: as `draggedIds` reads them. */
export function treeMime(id: string): string {
  return `application/vnd.code.tree.${id.toLowerCase()}`;
}

/** The ids of rows that were dragged here from another tree of ours. The editor's own note on the tree travels under the same type. */
export async function draggedIds(
  items: readonly vscode.DataTransferItem[],
): Promise<readonly string[]> {
  const texts = await Promise.all(items.map((item) => item.asString()));
  return texts.flatMap((text) => {
    try {
      const ids: unknown = JSON.parse(text);
      return Array.isArray(ids) ? ids.filter((id) => typeof id === 'string') : [];
    } catch {
      return []; // Anybody may put anything under that type.
    }
  });
}

export function showTree(options: TreeOptions): ShownTree {
  const provider = new Provider(options.model);
  const drops = options.drops ?? [];
  const draggable = options.drag !== undefined;
  const view = vscode.window.createTreeView(options.id, {
    treeDataProvider: provider,
    canSelectMany: true,
    showCollapseAll: true,
    ...(draggable || drops.length > 0 ? { dragAndDropController: dragAndDrop(options) } : {}),
  });
  return {
    view,
    dispose: () => {
      view.dispose();
      provider.dispose();
    },
  };
}

class Provider implements vscode.TreeDataProvider<object> {
  private readonly model: TreeModel<object>;
  private readonly fired = new vscode.EventEmitter<object[] | undefined>();
  private readonly heard: Listener;
  private readonly messages = new WeakMap<object, { readonly id: string }>();
  readonly onDidChangeTreeData = this.fired.event;

  constructor(model: TreeModel<object>) {
    this.model = model;
    this.heard = model.onDidChange((changed) => this.refresh(changed));
  }

  async getChildren(element?: object): Promise<object[]> {
    try {
      return [...(await this.model.children(element))];
    } catch (error) {
      const message: MessageNode = { kind: 'message', text: messageOf(error), level: 'error' };
      const above = element === undefined ? '' : this.model.row(element).id;
      this.messages.set(message, { id: `message/${above}` });
      return [message];
    }
  }

  getTreeItem(element: object): vscode.TreeItem {
    const message = this.messages.get(element);
    if (message !== undefined) return itemOf(messageRow(element as MessageNode, message.id));
    return itemOf(this.model.row(element));
  }

  getParent(element: object): object | undefined {
    return this.messages.has(element) ? undefined : this.model.parent(element);
  }

  async resolveTreeItem(item: vscode.TreeItem, element: object): Promise<vscode.TreeItem> {
    const hover = this.messages.has(element) ? undefined : await this.model.hover?.(element);
    item.tooltip = hover === undefined ? plainTooltip(item) : markdownOf(hover);
    return item;
  }

  dispose(): void {
    this.heard.dispose();
    this.fired.dispose();
  }

  private refresh(changed: Changed<object>): void {
    if (changed === 'all') this.fired.fire(undefined);
    else if (changed.length > 0) this.fired.fire([...changed]);
  }
}

const FOLDS = {
  leaf: vscode.TreeItemCollapsibleState.None,
  closed: vscode.TreeItemCollapsibleState.Collapsed,
  open: vscode.TreeItemCollapsibleState.Expanded,
} as const;

function itemOf(row: Row): vscode.TreeItem {
  const item = new vscode.TreeItem(isOurs(row) ? say(row.label) : row.label, FOLDS[row.fold]);
  item.id = row.id;
  item.contextValue = row.context;
  item.accessibilityInformation = { label: sayFacts(row.accessible, ', ') };
  if (row.description !== undefined) item.description = sayFacts(row.description);
  if (row.icon !== undefined) item.iconPath = themeIcon(row.icon);
  if (row.resource !== undefined) item.resourceUri = vscode.Uri.parse(row.resource, true);
  if (row.command !== undefined) {
    const { id, title, arguments: args } = row.command;
    item.command = { command: id, title, ...(args === undefined ? {} : { arguments: [...args] }) };
  }
  return item;
}

/** Labels are names that others gave; only of these rows they are words of ours. */
function isOurs({ context }: Row): boolean {
  return context.startsWith('group') || context.startsWith('message');
}

function themeIcon({ name, color }: NonNullable<Row['icon']>): vscode.ThemeIcon {
  return color === undefined
    ? new vscode.ThemeIcon(name)
    : new vscode.ThemeIcon(name, new vscode.ThemeColor(color));
}

function plainTooltip({ label, description }: vscode.TreeItem): string {
  const text = typeof label === 'string' ? label : (label?.label ?? '');
  return typeof description === 'string' ? `${text} ${description}` : text;
}

function markdownOf({ markdown, commands }: Hover): vscode.MarkdownString {
  const text = new vscode.MarkdownString(markdown);
  text.supportHtml = false;
  text.supportThemeIcons = false;
  if (commands.length > 0) text.isTrusted = { enabledCommands: [...commands] };
  return text;
}

function dragAndDrop(options: TreeOptions): vscode.TreeDragAndDropController<object> {
  const { id, drag } = options;
  const drops = options.drops ?? [];
  return {
    dropMimeTypes: [...new Set(drops.map(({ mime }) => mime))],
    dragMimeTypes: drag === undefined ? [] : ['text/plain'],
    handleDrag(source, data) {
      if (drag === undefined) return;
      const dragged = source.map((element) => drag(element)).filter((each) => each !== undefined);
      if (dragged.length === 0) return;
      // As text: to another tree the editor hands over no objects.
      const ids = JSON.stringify(dragged.map((each) => each.id));
      data.set(treeMime(id), new vscode.DataTransferItem(ids));
      const texts = dragged.map(({ text }) => text);
      data.set('text/plain', new vscode.DataTransferItem(texts.join(' ')));
    },
    async handleDrop(target, data, token) {
      for (const drop of drops) {
        const [first, ...others] = itemsOf(data, drop.mime);
        if (first === undefined || !drop.accepts(target)) continue;
        await drop.drop(target, [first, ...others], token);
        return;
      }
    },
  };
}

/** Files of a browser's machine travel one by one, each under the type of its content. */
function itemsOf(data: vscode.DataTransfer, mime: string): vscode.DataTransferItem[] {
  return [...data]
    .filter(([type, item]) => (mime === 'files' ? item.asFile() !== undefined : type === mime))
    .map(([, item]) => item);
}
