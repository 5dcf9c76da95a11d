/**
 * Owns what all groups of messages share: the connection, the open documents, the client's facts and settings, and the
 * one way from a request to a feature. It holds no feature.
 */
import {
  type ClientCapabilities,
  type Connection,
  type FileEvent,
  type Position,
  type Range,
  type ServerCapabilities,
  TextDocuments,
  type WorkspaceFolder,
} from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import type { ImageFacts, LintProblem } from '../src/lib/dockerfile/lint/rule.ts';
import type { Dockerfile } from '../src/lib/dockerfile/syntax.ts';
import { forgetTree, isIgnoreFile, noteEdit, treeOf } from './documents.ts';
import { applyChanges, chooseEncoding, decodePosition, encodeAnswer } from './encoding.ts';
import type { Encoding } from './encoding.ts';
import { isConfiguration } from './features/configuration/configuration.ts';
import { Linter, NO_FACTS } from './linting.ts';
import { DEFAULTS, type Settings } from './settings.ts';
import { ShellCheckLayer } from './shellcheck/layer.ts';

/** What the client said of itself; the settings and the trust change while it runs. */
export interface Client {
  readonly capabilities: ClientCapabilities;
  readonly encoding: Encoding;
  folders: readonly WorkspaceFolder[];
  settings: Settings;
  /** Those that came with `initialize`. */
  readonly initial: Settings;
  /** The workspace is trusted: only then may a request leave this process. */
  trusted: boolean;
  /** The client has the command `pinnace.build.image` and those on builds. */
  readonly buildCommands: boolean;
  /** The socket of the engine that the client works with; '' when it did not say. */
  engineSocket: string;
}

/** An open document with its tree and, for requests at a place, the offset. */
export interface Place {
  readonly document: TextDocument;
  readonly file: Dockerfile;
  readonly offset: number;
}

/** `changes`: of Dockerfiles on the disk, when nothing else changed, none when the folders did; undefined: anything may have. */
type Listener = (changes: readonly FileEvent[] | undefined) => void;

export class Session {
  readonly connection: Connection;
  readonly documents: TextDocuments<TextDocument>;
  readonly linter = new Linter(() => this.images());
  /** What is known of base images, for one judging of a file. */
  private images: () => ImageFacts = () => NO_FACTS;
  private readonly shellCheck: ShellCheckLayer;
  private readonly foundListeners: ((uri: string) => void)[] = [];
  private readonly imageListeners: (() => void)[] = [];
  client: Client = {
    capabilities: {},
    encoding: 'utf-16',
    folders: [],
    settings: DEFAULTS,
    initial: DEFAULTS,
    trusted: false,
    buildCommands: false,
    engineSocket: '',
  };
  private readonly listeners: Listener[] = [];

  constructor(connection: Connection) {
    this.connection = connection;
    this.shellCheck = new ShellCheckLayer({
      env: process.env,
      log: (message) => connection.console.warn(message),
      onChanged: (uri) => {
        for (const listener of this.foundListeners) listener(uri);
      },
    });
    process.once('exit', () => this.shellCheck.dispose());
    this.documents = new TextDocuments({
      create: (uri, languageId, version, text) =>
        TextDocument.create(uri, languageId, version, text),
      update: (document, changes, version) =>
        applyChanges(document, changes, {
          version,
          encoding: this.client.encoding,
          note: (edit) => noteEdit(document, edit),
        }),
    });
  }

  /** To be called once, by the initialize request. */
  begin(
    capabilities: ClientCapabilities,
    given: Omit<Client, 'capabilities' | 'encoding' | 'initial'>,
  ): void {
    const encoding = chooseEncoding(capabilities);
    this.client = { capabilities, encoding, initial: given.settings, ...given };
  }

  /** Calls back when settings, trust, folders or watched files changed: what was worked out before may be stale. */
  onChange(listener: Listener): void {
    this.listeners.push(listener);
  }

  /** Calls back when more is known of a document's problems than was told before. */
  onFound(listener: (uri: string) => void): void {
    this.foundListeners.push(listener);
  }

  /** The problems of an open Dockerfile: the linter's own, and ShellCheck's as far as they are known. */
  problemsOf(document: TextDocument): readonly LintProblem[] {
    const { settings } = this.client;
    const own = this.linter.problemsOf(document, settings);
    const rules = this.linter.rulesFor(document.uri, settings);
    return this.shellCheck.problemsOf({ document, own, rules, setting: settings.shellcheck });
  }

  /** Calls back when more is known of base images. */
  onImages(listener: () => void): void {
    this.imageListeners.push(listener);
  }

  /** To be called once: where the linter learns of base images. */
  learnImages(images: () => ImageFacts): void {
    this.images = images;
  }

  /** More is known of base images. */
  imagesArrived(): void {
    this.linter.forgetResults();
    for (const listener of this.imageListeners) listener();
    for (const { uri } of this.documents.all())
      for (const listener of this.foundListeners) listener(uri);
  }

  /** A document was closed. */
  forget(document: TextDocument): void {
    forgetTree(document);
    this.linter.drop(document);
    this.shellCheck.forget(document.uri);
  }

  /** Settings or trust changed, or files: `changes` when they are all Dockerfiles, none when the folders changed. */
  changed(changes?: readonly FileEvent[]): void {
    this.linter.forget();
    for (const listener of this.listeners) listener(changes);
  }

  /** A linter of its own for files that are not open. */
  newLinter(): Linter {
    return new Linter(() => this.images());
  }

  /** The open Dockerfile of an address; undefined for ignore files, configurations and what is not open. */
  dockerfile(uri: string): TextDocument | undefined {
    const document = this.documents.get(uri);
    if (document === undefined || isIgnoreFile(document) || isConfiguration(uri)) return undefined;
    return document;
  }

  /** A feature's answer at a place of an open configuration; undefined when it is none. */
  inConfiguration<T>(
    { uri, position }: { readonly uri: string; readonly position: Position },
    feature: (text: string, offset: number) => T,
  ): T | undefined {
    const document = isConfiguration(uri) ? this.documents.get(uri) : undefined;
    if (document === undefined) return undefined;
    const offset = document.offsetAt(decodePosition(document, position, this.client.encoding));
    return this.encode(document, feature(document.getText(), offset));
  }

  /** A feature's answer for a whole document; `otherwise` when it is no open Dockerfile. */
  answer<T>(uri: string, otherwise: T, feature: (place: Place) => T): T {
    const document = this.dockerfile(uri);
    if (document === undefined) return otherwise;
    const found = feature({ document, file: treeOf(document), offset: 0 });
    return this.encode(document, found);
  }

  /** A feature's answer at a position of the client. */
  answerAt<T>(
    { uri, position }: { readonly uri: string; readonly position: Position },
    otherwise: T,
    feature: (place: Place) => T,
  ): T {
    return this.answer(uri, otherwise, ({ document, file }) =>
      feature({ document, file, offset: this.offset(document, position) }),
    );
  }

  /** As `answerAt` for features that wait for something. */
  async waitAt<T>(
    { uri, position }: { readonly uri: string; readonly position: Position },
    otherwise: T,
    feature: (place: Place) => Promise<T>,
  ): Promise<T> {
    const document = this.dockerfile(uri);
    if (document === undefined) return otherwise;
    const offset = this.offset(document, position);
    return this.encode(document, await feature({ document, file: treeOf(document), offset }));
  }

  /** A client's range as offsets. */
  offsets(document: TextDocument, range: Range): { start: number; end: number } {
    return {
      start: this.offset(document, range.start),
      end: this.offset(document, range.end),
    };
  }

  encode<T>(document: TextDocument, answer: T): T {
    return encodeAnswer(document, answer, this.client.encoding);
  }

  private offset(document: TextDocument, position: Position): number {
    return treeOf(document).lines.offset(
      ...pairOf(decodePosition(document, position, this.client.encoding)),
    );
  }
}

function pairOf({ line, character }: Position): [number, number] {
  return [line, character];
}

/** Messages that belong together: what they add to the server's capabilities, and their handlers. */
export interface Group {
  readonly capabilities: (client: ClientCapabilities, settings: Settings) => ServerCapabilities;
  readonly register: (session: Session) => void;
}
