/**
 * What the parameters of each message must look like before a handler sees them. Only what handlers rely on is asked for;
 * the rest of a message may be anything. Pure.
 */
import { isRecord } from '../src/lib/record.ts';

type Check = (value: unknown) => boolean;

/** A sentence that says what is wrong with a message's parameters; undefined when nothing is, or nothing is known of the method. */
export function wrongIn(method: string, params: unknown): string | undefined {
  const shape = Object.hasOwn(SHAPES, method) ? SHAPES[method] : undefined;
  if (shape === undefined) return undefined;
  if (!isRecord(params)) return `${method} needs an object of parameters`;
  for (const [name, check] of Object.entries(shape)) {
    if (!check(params[name])) return `${method}: "${name}" is missing or of the wrong type`;
  }
  return undefined;
}

const isText: Check = (value) => typeof value === 'string';
const isNumber: Check = (value) => typeof value === 'number' && Number.isFinite(value);
const isPosition: Check = (value) =>
  isRecord(value) && isNumber(value['line']) && isNumber(value['character']);
const isRange: Check = (value) =>
  isRecord(value) && isPosition(value['start']) && isPosition(value['end']);
const isDocument: Check = (value) => isRecord(value) && isText(value['uri']);
const isList =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const isAbsentOr =
  (check: Check): Check =>
  (value) =>
    value === undefined || value === null || check(value);

const isOpened: Check = (value) =>
  isRecord(value) &&
  ['uri', 'languageId', 'text'].every((name) => isText(value[name])) &&
  isNumber(value['version']);
const isVersioned: Check = (value) =>
  isDocument(value) && isRecord(value) && isNumber(value['version']);
const isChange: Check = (value) =>
  isRecord(value) && isText(value['text']) && isAbsentOr(isRange)(value['range']);
const isFolders = isList((value) => isRecord(value) && isText(value['uri']));
const isFoldersEvent: Check = (value) =>
  isRecord(value) && isFolders(value['added']) && isFolders(value['removed']);
const isContext: Check = (value) =>
  isRecord(value) &&
  isList((one) => isRecord(one) && isRange(one['range']))(value['diagnostics']) &&
  isAbsentOr(isList(isText))(value['only']);
const isCallItem: Check = (value) =>
  isRecord(value) &&
  isText(value['uri']) &&
  isText(value['name']) &&
  isRange(value['selectionRange']);

const isPreviousResult: Check = (value) =>
  isRecord(value) && isText(value['uri']) && isText(value['value']);

type Shape = Readonly<Record<string, Check>>;

const DOCUMENT: Shape = { textDocument: isDocument };
const PLACE: Shape = { ...DOCUMENT, position: isPosition };
const PART: Shape = { ...DOCUMENT, range: isRange };

const SHAPES: Readonly<Record<string, Shape>> = {
  initialize: {
    capabilities: isRecord,
    workspaceFolders: isAbsentOr(isFolders),
    initializationOptions: isAbsentOr(() => true),
  },
  'textDocument/didOpen': { textDocument: isOpened },
  'textDocument/didChange': { textDocument: isVersioned, contentChanges: isList(isChange) },
  'textDocument/didClose': DOCUMENT,
  'textDocument/didSave': DOCUMENT,
  'textDocument/completion': PLACE,
  'completionItem/resolve': { label: isText },
  'textDocument/hover': PLACE,
  'textDocument/signatureHelp': PLACE,
  'textDocument/definition': PLACE,
  'textDocument/references': { ...PLACE, context: isRecord },
  'textDocument/documentHighlight': PLACE,
  'textDocument/linkedEditingRange': PLACE,
  'textDocument/prepareRename': PLACE,
  'textDocument/rename': { ...PLACE, newName: isText },
  'textDocument/prepareCallHierarchy': PLACE,
  'callHierarchy/incomingCalls': { item: isCallItem },
  'callHierarchy/outgoingCalls': { item: isCallItem },
  'textDocument/documentSymbol': DOCUMENT,
  'textDocument/foldingRange': DOCUMENT,
  'textDocument/documentLink': DOCUMENT,
  'textDocument/codeLens': DOCUMENT,
  'textDocument/diagnostic': DOCUMENT,
  'textDocument/selectionRange': { ...DOCUMENT, positions: isList(isPosition) },
  'textDocument/inlayHint': PART,
  'textDocument/codeAction': { ...PART, context: isContext },
  'textDocument/formatting': { ...DOCUMENT, options: isRecord },
  'textDocument/rangeFormatting': { ...PART, options: isRecord },
  'textDocument/onTypeFormatting': { ...PLACE, ch: isText, options: isRecord },
  'textDocument/semanticTokens/full': DOCUMENT,
  'textDocument/semanticTokens/full/delta': { ...DOCUMENT, previousResultId: isText },
  'textDocument/semanticTokens/range': PART,
  'workspace/diagnostic': { previousResultIds: isList(isPreviousResult) },
  'workspace/symbol': { query: isText },
  'workspace/executeCommand': { command: isText },
  'workspace/didChangeConfiguration': {},
  'workspace/didChangeWatchedFiles': {},
  'workspace/didChangeWorkspaceFolders': { event: isFoldersEvent },
};
