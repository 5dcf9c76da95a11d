/**
 * The language server's composition root: groups of messages on one connection, over stdio (`--stdio`) or the editor's
 * IPC (`--node-ipc`). It holds no feature and no handler of a feature's message.
 */
import { Console } from 'node:console';
import {
  type Connection,
  type ConnectionOptions,
  createConnection,
  LSPErrorCodes,
  ProposedFeatures,
  type RequestMessage,
  type ResponseMessage,
} from 'vscode-languageserver/node';
import { answerRefused, Gate } from './gate.ts';
import { actions } from './groups/actions.ts';
import { builds } from './groups/builds.ts';
import { configurations } from './groups/configurations.ts';
import { diagnostics } from './groups/diagnostics.ts';
import { formatting } from './groups/formatting.ts';
import { language } from './groups/language.ts';
import { lifecycle } from './groups/lifecycle.ts';
import { navigation } from './groups/navigation.ts';
import { tokens } from './groups/tokens.ts';
import { workspace } from './groups/workspace.ts';
import { WholeMessageReader } from './input.ts';
import { baseImages } from './knowledge/base-images.ts';
import { BuildKnowledge } from './knowledge/builds.ts';
import { ImageFileKnowledge } from './knowledge/image-files.ts';
import { ImageKnowledge, socketOf } from './knowledge/images.ts';
import { loginsBy } from './knowledge/logins.ts';
import { WholeMessageWriter } from './output.ts';
import { Session } from './session.ts';

/** A request that is cancelled before its turn is answered at once and never worked on. */
function cancelled({ id }: RequestMessage): ResponseMessage {
  const error = { code: LSPErrorCodes.RequestCancelled, message: 'cancelled by the client' };
  return { jsonrpc: '2.0', id, error };
}

const gate = new Gate();

const options: ConnectionOptions = {
  messageStrategy: gate,
  connectionStrategy: {
    cancelUndispatched: (message) =>
      'id' in message ? cancelled(message as RequestMessage) : undefined,
  },
};

/** Over stdio nothing but messages may be written; what a library prints goes to the standard error. */
function connectStdio(): Connection {
  globalThis.console = new Console(process.stderr);
  // A client that is gone without a word leaves nobody to serve.
  for (const event of ['end', 'close'])
    process.stdin.once(event, () => process.exit(gate.isDown ? 0 : 1));
  const input = new WholeMessageReader(process.stdin);
  const output = new WholeMessageWriter(process.stdout);
  return createConnection(ProposedFeatures.all, input, output, options);
}

const isStdio = process.argv.includes('--stdio');
const connection = isStdio ? connectStdio() : createConnection(ProposedFeatures.all, options);
answerRefused(connection);
const session = new Session(connection);
const images = new ImageKnowledge(
  () => {
    const { settings, trusted, engineSocket: own } = session.client;
    const { engineLookups, registryLookups, engineSocket } = settings;
    const socket = engineSocket === '' ? own : engineSocket;
    return { engine: engineLookups, registry: registryLookups && trusted, socket };
  },
  loginsBy({
    capabilities: () => session.client.capabilities,
    sendRequest: (method, params) => connection.sendRequest(method, params),
  }),
);
session.learnImages(() => baseImages(images));
images.onArrived(() => {
  session.imagesArrived();
});
/** The socket that the settings or the client name, '' for the usual places, `off` when nobody is to be asked. */
const engineSetting = (): string => {
  const { settings, engineSocket: own } = session.client;
  if (!settings.engineLookups) return 'off';
  return settings.engineSocket === '' ? own : settings.engineSocket;
};
const built = new BuildKnowledge(engineSetting);
const imageFiles = new ImageFileKnowledge(() => {
  const setting = engineSetting();
  return setting === 'off' ? undefined : socketOf(setting);
});
const groups = [
  language({ images, files: imageFiles, builds: built }),
  navigation({ takesWritten: isStdio }),
  workspace,
  tokens,
  formatting,
  diagnostics,
  actions(images),
  configurations,
  builds(built),
];
lifecycle(groups).register(session);
for (const group of groups) group.register(session);
session.documents.listen(connection);
connection.listen();
