/**
 * Owns the answers about all Dockerfiles of the workspace, open or not. Nobody who types waits for them: files are judged
 * in slices, one request at a time, and while nothing changes there is nothing to answer.
 */
import { pathToFileURL } from 'node:url';
import {
  type CancellationToken,
  type DocumentDiagnosticReport,
  DocumentDiagnosticReportKind,
  LSPErrorCodes,
  type PreviousResultId,
  ResponseError,
  type ResultProgressReporter,
  type WorkspaceDiagnosticReport,
  type WorkspaceDocumentDiagnosticReport,
} from 'vscode-languageserver/node';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { slots } from '../../src/lib/turns.ts';
import { JudgedFiles } from '../knowledge/judged.ts';
import { pathOf } from '../knowledge/paths.ts';
import { isSearched } from '../knowledge/workspace.ts';
import type { Linter } from '../linting.ts';
import type { Session } from '../session.ts';
import { diagnoseClosed, isJudged, judgeOpen, turn } from './diagnose.ts';

type Report = WorkspaceDocumentDiagnosticReport;
type Reporter = ResultProgressReporter<{ items: Report[] }>;

/** The report of an open document to a client that has another one, or none. */
export type OpenReport = (
  document: TextDocument,
  had: string | undefined,
) => DocumentDiagnosticReport;

/** What the client has of a file. */
interface Had {
  /** As the client writes it. */
  readonly uri: string;
  /** Undefined: what no longer counts. */
  readonly resultId: string | undefined;
}

/** By path, since addresses can be written in several ways; by address where there is none. */
type Files<T> = Map<string, T>;

const { Full, Unchanged } = DocumentDiagnosticReportKind;
/** Files after which others get their turn. */
const BATCH = 200;
/** Milliseconds in which changes are one. */
const PAUSE = 100;
/** Milliseconds after which a request that waits has another look at what nobody tells of. */
const LOOK_AGAIN = 30_000;

export class WorkspacePulls {
  private readonly session: Session;
  private readonly openReport: OpenReport;
  private readonly files: JudgedFiles;
  /** One request at a time is worked on; the next one finds what it has found. */
  private readonly lane = slots(1);
  private linter: Linter | undefined;
  private readonly sleeping = new Set<() => void>();
  /** Documents that were closed since: the client may show what they had. */
  private readonly closed: Files<string> = new Map();
  private changes = 0;
  private isAnswered = false;

  constructor(session: Session, openReport: OpenReport) {
    this.session = session;
    this.openReport = openReport;
    this.files = new JudgedFiles({
      folders: () => this.folders(),
      judge: async (document) => {
        try {
          return await diagnoseClosed(session, document, this.freshLinter());
        } catch (error) {
          // The others are told all the same.
          session.connection.console.error(`${document.uri} cannot be judged: ${String(error)}`);
          return [];
        }
      },
      isWatched: () => isWatched(session),
      onFull: (message) => session.connection.console.warn(message),
    });
    this.listen();
  }

  /**
   * What has changed since the client's last results. While nothing has, the request stays open where the client takes
   * parts and tells of files, as LSP 3.17 allows ("Workspace Diagnostics"); else the answer says so.
   */
  async answer(
    previous: readonly PreviousResultId[],
    token: CancellationToken,
    progress: Reporter | undefined,
  ): Promise<WorkspaceDiagnosticReport> {
    const had: Files<Had> = new Map();
    for (const { uri, value } of previous) had.set(keyOf(uri), { uri, resultId: value });
    const run = new Run(token, progress);
    const mayWait = progress !== undefined && isWatched(this.session) && this.isAnswered;
    for (;;) {
      await run.unlessStopped(this.lane(() => this.survey(had, run)));
      if (run.hasNews || !mayWait) break;
      await run.unlessStopped(this.change(had, run));
    }
    this.isAnswered = true;
    return { items: run.rest() };
  }

  /** A document that was closed has what its file has, where the client is shown the whole workspace. */
  async ofClosed(uri: string): Promise<DocumentDiagnosticReport> {
    const path = pathOf(uri);
    const isOurs = path !== undefined && this.isOn() && isSearched(path, this.folders());
    const found = isOurs ? await this.files.of(path) : undefined;
    if (found === undefined) return { kind: Full, items: [] };
    return { kind: Full, resultId: found.resultId, items: [...found.items] };
  }

  private listen(): void {
    const { session, files } = this;
    const wake = (): void => {
      this.changes += 1;
      for (const awake of [...this.sleeping]) awake();
    };
    session.onChange((changed) => {
      this.linter = undefined;
      if (this.isOn()) files.changed(changed);
      else files.clear();
      wake();
    });
    session.onImages(() => {
      this.linter = undefined;
      files.renew();
      wake();
    });
    session.documents.onDidOpen(wake);
    session.documents.onDidClose(({ document: { uri } }) => {
      this.closed.set(keyOf(uri), uri);
      wake();
    });
  }

  private isOn(): boolean {
    return this.session.client.settings.workspaceDiagnostics;
  }

  /** Their addresses. */
  private folders(): string[] {
    return this.session.client.folders.map(({ uri }) => uri);
  }

  /** For files that are not open; what it remembers goes when nothing is left to judge. */
  private freshLinter(): Linter {
    this.linter ??= this.session.newLinter();
    return this.linter;
  }

  /** Collects what the client does not have, and what it has. */
  private async survey(had: ReadonlyMap<string, Had>, run: Run): Promise<void> {
    if (run.isStopped()) return;
    run.begin(this.changes);
    const open: Files<TextDocument> = new Map();
    for (const document of this.session.documents.all()) open.set(keyOf(document.uri), document);
    const paths = this.isOn() ? await this.files.paths(() => run.isStopped()) : undefined;
    const found = new Set(paths);
    if (this.isOn()) {
      const folders = this.folders();
      for (const [path, { uri }] of open)
        if (this.session.dockerfile(uri) !== undefined && isSearched(path, folders))
          found.add(path);
    }
    let count = 0;
    for (const path of found) {
      // What is known costs next to nothing, but it may be much.
      if (++count % BATCH === 0) await turn();
      if (run.isStopped()) return;
      const document = open.get(path);
      const report = await (document === undefined
        ? this.closedReport(path, had.get(path))
        : this.reportOpen(document, had.get(path)));
      if (report === undefined) found.delete(path);
      else run.add(report);
    }
    if (run.isStopped()) return;
    this.linter = undefined;
    const gone = new Map(this.closed);
    for (const [path, { uri }] of had) gone.set(path, uri);
    for (const [path, uri] of gone) {
      // What is no more, or no longer ours, has no problems; what is open and elsewhere is asked for by itself.
      if (!found.has(path) && !open.has(path))
        run.add({ kind: Full, uri, version: null, items: [] });
    }
    this.closed.clear();
  }

  private async reportOpen(
    document: TextDocument,
    had: Had | undefined,
  ): Promise<Report | undefined> {
    const { session } = this;
    const { uri } = document;
    if (isJudged(document)) await judgeOpen(session, document);
    if (session.documents.get(uri) !== document) return this.closedReport(keyOf(uri), had);
    const { version } = document;
    return { uri, version, ...this.openReport(document, had?.resultId) };
  }

  private async closedReport(path: string, had: Had | undefined): Promise<Report | undefined> {
    const found = await this.files.of(path);
    if (found === undefined) return undefined;
    const { resultId, items } = found;
    const uri = had?.uri ?? this.closed.get(path) ?? pathToFileURL(path).href;
    if (resultId === had?.resultId) return { kind: Unchanged, uri, version: null, resultId };
    return { kind: Full, uri, version: null, resultId, items: [...items] };
  }

  /** Until something may have changed. */
  private async change(had: Files<Had>, run: Run): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const wake = (): void => resolve(undefined);
    if (run.seen !== this.changes) wake();
    const timer = setTimeout(() => {
      this.files.doubtOthers();
      wake();
    }, LOOK_AGAIN);
    run.whenStopped(wake);
    this.sleeping.add(wake);
    await promise;
    this.sleeping.delete(wake);
    clearTimeout(timer);
    await new Promise<void>((done) => setTimeout(done, PAUSE));
    // Of what was closed the client shows the last text, whatever it had before that.
    for (const [path, uri] of this.closed) had.set(path, { uri, resultId: undefined });
  }
}

function keyOf(uri: string): string {
  return pathOf(uri) ?? uri;
}

/** The client tells when files change on the disk. */
function isWatched({ client }: Session): boolean {
  return client.capabilities.workspace?.didChangeWatchedFiles?.dynamicRegistration === true;
}

/** Full reports that go out together, where the client takes parts. */
const PART = 25;

/** One request: what is to be answered, and whether the client still wants it. */
class Run {
  hasNews = false;
  /** How many changes there had been when the survey began. */
  seen = 0;
  private readonly token: CancellationToken;
  private readonly progress: Reporter | undefined;
  private readonly stopped = Promise.withResolvers<undefined>();
  private reports: Report[] = [];
  private unchanged: Report[] = [];

  constructor(token: CancellationToken, progress: Reporter | undefined) {
    this.token = token;
    this.progress = progress;
    token.onCancellationRequested(() => this.stopped.resolve(undefined));
  }

  isStopped(): boolean {
    return this.token.isCancellationRequested;
  }

  begin(seen: number): void {
    this.seen = seen;
    this.unchanged = [];
  }

  add(report: Report): void {
    if (report.kind === Unchanged) {
      this.unchanged.push(report);
      return;
    }
    this.hasNews = true;
    this.reports.push(report);
    if (this.progress === undefined || this.reports.length < PART) return;
    this.progress.report({ items: this.reports });
    this.reports = [];
  }

  /** What is still to be answered. */
  rest(): Report[] {
    return [...this.reports, ...this.unchanged];
  }

  whenStopped(then: () => void): void {
    void this.stopped.promise.then(then);
  }

  /** Waits for the work; throws RequestCancelled at once when the client no longer wants it. */
  async unlessStopped(work: Promise<void>): Promise<void> {
    await Promise.race([work, this.stopped.promise]);
    if (!this.isStopped()) return;
    throw new ResponseError(LSPErrorCodes.RequestCancelled, 'cancelled by the client');
  }
}
