/** The editor tab that shows a build, live or remembered, or two of them side by side. One tab; it follows what was asked for last. */
import * as vscode from 'vscode';
import type { BuildRecord } from '../../lib/api/builds.ts';
import { messageOf } from '../../lib/errors.ts';
import type { Builds, BuildNews } from './builds.ts';
import { compareBuilds } from './compare.ts';
import { type FromView, readFromView, type ToView } from './messages.ts';
import { shownBuild, shownComparison } from './shown.ts';
import { titleOf } from './request.ts';
import { dress, pageOptions } from '../webviews/panels.ts';
import { say } from '../words/say.ts';

/** Milliseconds between two looks of the view while a build runs. */
const FRAME = 60;

export interface BuildPanel {
  dispose(): void;
  /** Shows a build; one that runs is followed. */
  open(key: string): void;
  compare(older: string, newer: string): void;
}

export interface PanelParts {
  readonly builds: Builds;
  readonly extension: vscode.Uri;
  /** What the buttons do. */
  readonly act: (type: 'cancel' | 'rerun' | 'copy' | 'compare', key: string) => void;
  readonly goTo: (dockerfile: string, line: number) => void;
  /** The build before this one of the same Dockerfile. */
  readonly previous: (key: string) => string | undefined;
}

type Subject =
  | { readonly kind: 'build'; readonly key: string }
  | { readonly kind: 'comparison'; readonly older: string; readonly newer: string };

export function createBuildPanel(parts: PanelParts): BuildPanel {
  return new Panel(parts);
}

class Panel implements BuildPanel {
  private readonly parts: PanelParts;
  private readonly heard: { dispose(): void };
  private view: vscode.WebviewPanel | undefined;
  private subject: Subject | undefined;
  private record: BuildRecord | undefined;
  private readonly texts = new Map<number, string>();
  private timer: NodeJS.Timeout | undefined;

  constructor(parts: PanelParts) {
    this.parts = parts;
    this.heard = parts.builds.onNews((news) => this.follow(news));
  }

  open(key: string): void {
    this.show({ kind: 'build', key });
  }

  compare(older: string, newer: string): void {
    this.show({ kind: 'comparison', older, newer });
  }

  dispose(): void {
    this.heard.dispose();
    clearTimeout(this.timer);
    this.view?.dispose();
  }

  private show(subject: Subject): void {
    this.subject = subject;
    this.texts.clear();
    if (this.view === undefined) this.view = this.create();
    else {
      this.view.reveal(undefined, true);
      this.send();
    }
  }

  private create(): vscode.WebviewPanel {
    const { extension } = this.parts;
    const title = vscode.l10n.t('Build');
    const view = vscode.window.createWebviewPanel(
      'pinnace.build',
      title,
      { viewColumn: vscode.ViewColumn.Active, preserveFocus: false },
      { ...pageOptions(extension), enableFindWidget: true },
    );
    view.webview.onDidReceiveMessage((message: unknown) => this.hear(readFromView(message)));
    view.onDidDispose(() => {
      this.view = undefined;
      this.subject = undefined;
    });
    dress(view, extension, { folder: 'builds', title, state: undefined });
    return view;
  }

  private hear(message: FromView | undefined): void {
    const key = this.subject?.kind === 'build' ? this.subject.key : undefined;
    if (message?.type === 'ready') this.send();
    else if (message === undefined || key === undefined) return;
    else if (message.type === 'log') void this.sendLog(key, message.step);
    else if (message.type === 'goto') {
      if (this.record !== undefined) this.parts.goTo(this.record.dockerfile, message.line);
    } else this.parts.act(message.type, key);
  }

  private send(): void {
    const { subject } = this;
    if (subject === undefined) return;
    const work = subject.kind === 'build' ? this.sendBuild(subject.key) : this.sendBoth(subject);
    work.catch((error: unknown) => this.post({ type: 'problem', message: messageOf(error) }));
  }

  private async sendBuild(key: string): Promise<void> {
    const record = await this.parts.builds.journal.record(key);
    if (this.subject?.kind !== 'build' || this.subject.key !== key) return;
    this.record = record;
    this.postBuild(key, record);
    await this.sendLog(key, -1);
  }

  private async sendBoth({ older, newer }: Subject & { kind: 'comparison' }): Promise<void> {
    const { journal } = this.parts.builds;
    const [left, right] = await Promise.all([journal.record(older), journal.record(newer)]);
    if (this.view !== undefined) this.view.title = vscode.l10n.t('Compared Builds');
    const comparison = shownComparison(left, right, compareBuilds(left, right));
    this.post({ type: 'comparison', comparison });
  }

  private async sendLog(key: string, step: number): Promise<void> {
    try {
      const text = await this.parts.builds.journal.log(key, step < 0 ? undefined : step);
      const tail = text === '' ? (this.record?.stepList[step]?.logTail ?? '') : text;
      this.texts.delete(step);
      this.post({ type: 'log', step, text: tail, whole: true });
    } catch (error) {
      this.post({ type: 'problem', message: messageOf(error) });
    }
  }

  private follow({ key, build, changes }: BuildNews): void {
    if (this.view === undefined || this.subject?.kind !== 'build' || this.subject.key !== key)
      return;
    this.record = build.record;
    for (const { step = -1, text } of changes) {
      if (text !== '') this.texts.set(step, (this.texts.get(step) ?? '') + text);
    }
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.flush(key);
    }, FRAME);
  }

  private flush(key: string): void {
    if (this.subject?.kind !== 'build' || this.subject.key !== key) return;
    if (this.record !== undefined) this.postBuild(key, this.record);
    for (const [step, text] of this.texts) this.post({ type: 'log', step, text, whole: false });
    this.texts.clear();
  }

  private postBuild(key: string, record: BuildRecord): void {
    const entry = this.parts.builds.journal.entry(key);
    const repeatable = entry?.request !== undefined || record.context !== '';
    const hasPrevious = this.parts.previous(key) !== undefined;
    const plain = shownBuild(record, { key, repeatable, hasPrevious });
    const facts = plain.facts.map(([name, value]) => [say(name), say(value)] as const);
    const steps = plain.steps.map((step) => ({ ...step, reason: say(step.reason) }));
    const build = { ...plain, facts, steps };
    if (this.view !== undefined) this.view.title = vscode.l10n.t('Build {0}', titleOf(record));
    this.post({ type: 'build', build });
  }

  private post(message: ToView): void {
    void this.view?.webview.postMessage(message);
  }
}
