/**
 * Owns the session's beginning and what changes while it lasts: capabilities, settings, trust, folders, watched files.
 * Trust is never assumed: a client that does not speak of it is served from its own documents and files only.
 */
import {
  DidChangeConfigurationNotification,
  DidChangeWatchedFilesNotification,
  type InitializeParams,
  type ServerCapabilities,
  TextDocumentSyncKind,
} from 'vscode-languageserver/node';
import { isRecord } from '../../src/lib/record.ts';
import { VERSION } from '../../src/lib/version.ts';
import { chooseEncoding } from '../encoding.ts';
import { onlyDockerfiles } from '../knowledge/judged.ts';
import type { Client, Group, Session } from '../session.ts';
import { readSettings, SECTION, sectionOf } from '../settings.ts';

/** The client's word that the user trusts the workspace: `{ "trusted": true }`. */
const TRUST = 'pinnace/trust';

/** Files whose change on disk alters answers. */
const WATCHED =
  '**/{*[Dd]ockerfile*,*[Cc]ontainerfile*,.dockerignore,.hadolint.yaml,.hadolint.yml}';

/** The session's own messages; `groups` give their capabilities. */
export function lifecycle(groups: readonly Group[]): Pick<Group, 'register'> {
  return {
    register: (session) => {
      const { connection } = session;
      connection.onInitialize((params) => {
        begin(session, params);
        return {
          serverInfo: { name: 'pinnace', version: VERSION },
          capabilities: capabilitiesFor(groups, session.client),
        };
      });
      connection.onInitialized(() => void subscribe(session));
      connection.onDidChangeConfiguration(({ settings }) => {
        void refresh(session, sectionOf(settings));
      });
      connection.onDidChangeWatchedFiles(({ changes }) => {
        session.changed(onlyDockerfiles(changes));
      });
      connection.onNotification(TRUST, (params: unknown) => {
        session.client.trusted = isRecord(params) && params['trusted'] === true;
        session.changed();
      });
    },
  };
}

function begin(session: Session, params: InitializeParams): void {
  const options: unknown = params.initializationOptions;
  const given = isRecord(options) ? options : {};
  session.begin(params.capabilities, {
    folders: params.workspaceFolders ?? [],
    settings: readSettings(given['settings']),
    trusted: given['trusted'] === true,
    buildCommands: given['buildCommands'] === true,
    engineSocket: typeof given['engineSocket'] === 'string' ? given['engineSocket'] : '',
  });
}

function capabilitiesFor(
  groups: readonly Group[],
  { capabilities, settings }: Client,
): ServerCapabilities {
  const base: ServerCapabilities = {
    positionEncoding: chooseEncoding(capabilities),
    textDocumentSync: { openClose: true, change: TextDocumentSyncKind.Incremental },
    workspace: { workspaceFolders: { supported: true, changeNotifications: true } },
  };
  return groups.reduce(
    (all, group) => ({ ...all, ...group.capabilities(capabilities, settings) }),
    base,
  );
}

async function subscribe(session: Session): Promise<void> {
  const { connection, client } = session;
  const { workspace } = client.capabilities;
  try {
    if (workspace?.workspaceFolders === true) {
      connection.workspace.onDidChangeWorkspaceFolders(({ added, removed }) => {
        const gone = new Set(removed.map(({ uri }) => uri));
        const kept = session.client.folders.filter(({ uri }) => !gone.has(uri));
        session.client.folders = [...kept, ...added];
        session.changed([]);
      });
    }
    if (workspace?.didChangeConfiguration?.dynamicRegistration === true) {
      await connection.client.register(DidChangeConfigurationNotification.type, {
        section: SECTION,
      });
    }
    if (workspace?.didChangeWatchedFiles?.dynamicRegistration === true) {
      await connection.client.register(DidChangeWatchedFilesNotification.type, {
        watchers: [{ globPattern: WATCHED }],
      });
    }
    if (workspace?.configuration === true) await refresh(session, undefined);
  } catch (error) {
    connection.console.warn(`the client refused a registration: ${String(error)}`);
  }
}

/** Takes the settings that came with the message, or asks the client for them. */
async function refresh(session: Session, given: unknown): Promise<void> {
  const { connection, client } = session;
  const asks = given === undefined && client.capabilities.workspace?.configuration === true;
  try {
    const section: unknown = asks ? await connection.workspace.getConfiguration(SECTION) : given;
    if (section === undefined) return;
    client.settings = readSettings(section);
    session.changed();
  } catch (error) {
    connection.console.warn(`the client did not give its settings: ${String(error)}`);
  }
}
