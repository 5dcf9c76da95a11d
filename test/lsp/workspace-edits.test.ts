/** Edits of fixes, refactorings and renames: with the version of their document for clients that take one, plain for others. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  type ClientCapabilities,
  type CodeAction,
  CodeActionRequest,
  type Range,
  RenameRequest,
  TextDocumentEdit,
  type TextEdit,
  type WorkspaceEdit,
} from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { LanguageServer } from '../support/language-server.ts';

const uri = 'file:///edits/Dockerfile';
const TEXT = 'FROM a:1 as é\nRUN x\nRUN y\nADD é /\nFROM é\n';
const WHOLE = { start: { line: 0, character: 0 }, end: { line: 5, character: 0 } };
const RUN = { start: { line: 1, character: 4 }, end: { line: 1, character: 4 } };

class Editor {
  readonly server: LanguageServer;

  constructor(server: LanguageServer) {
    this.server = server;
  }

  /** All that may be done with the document: fixes, refactorings of the first RUN, all fixes at once. */
  async actions(): Promise<CodeAction[]> {
    const ask = async (range: Range, only?: string): Promise<CodeAction[]> => {
      const found = await this.server.connection.sendRequest(CodeActionRequest.type, {
        textDocument: { uri },
        range,
        context: { diagnostics: [], ...(only === undefined ? {} : { only: [only] }) },
      });
      return (found ?? []).filter((action): action is CodeAction => 'edit' in action);
    };
    const asked = [ask(WHOLE), ask(RUN, 'refactor'), ask(WHOLE, 'source.fixAll')];
    return (await Promise.all(asked)).flat();
  }

  /** Of the stage. */
  async rename(newName: string, character: number): Promise<WorkspaceEdit> {
    const found = await this.server.connection.sendRequest(RenameRequest.type, {
      textDocument: { uri },
      position: { line: 4, character },
      newName,
    });
    assert.ok(found !== null);
    return found;
  }
}

async function startEditor(capabilities: ClientCapabilities): Promise<Editor> {
  const server = await LanguageServer.start({ capabilities });
  await server.open(uri, TEXT);
  return new Editor(server);
}

describe('a client that takes versions with edits', () => {
  let editor: Editor;
  before(async () => {
    editor = await startEditor({ workspace: { workspaceEdit: { documentChanges: true } } });
  });
  after(() => editor.server.stop());

  /** The edits of one document and the version that they are for. */
  const parts = (edit: WorkspaceEdit): { version: number | null; edits: TextEdit[] } => {
    assert.equal(edit.changes, undefined);
    const [change, ...others] = edit.documentChanges ?? [];
    assert.deepEqual(others, []);
    assert.ok(change !== undefined && TextDocumentEdit.is(change));
    assert.equal(change.textDocument.uri, uri);
    const edits = change.edits.filter((each): each is TextEdit => 'newText' in each);
    assert.equal(edits.length, change.edits.length);
    return { version: change.textDocument.version, edits };
  };

  test('has it with every action and every rename, and it is the one of the text', async () => {
    for (const version of [1, 7]) {
      if (version > 1)
        await editor.server.change(uri, version, [{ text: TEXT.replaceAll('x', 'xx') }]);
      const actions = await editor.actions();
      const kinds = new Set(actions.map(({ kind = '' }) => kind.split('.')[0]));
      assert.deepEqual([...kinds].sort(), ['quickfix', 'refactor', 'source']);
      for (const { edit = {}, title } of actions) assert.equal(parts(edit).version, version, title);
      assert.equal(parts(await editor.rename('b', 5)).version, version);
    }
  });

  test('may apply them as they are', async () => {
    await editor.server.change(uri, 8, [{ text: TEXT }]);
    const document = TextDocument.create(uri, 'dockerfile', 8, TEXT);
    const { edits } = parts(await editor.rename('b', 5));
    assert.equal(TextDocument.applyEdits(document, edits), TEXT.replaceAll(/(as|FROM) é/g, '$1 b'));
  });
});

test('a client that takes none has plain changes', async () => {
  const editor = await startEditor({ workspace: { workspaceEdit: { documentChanges: false } } });
  const actions = await editor.actions();
  const edits = [...actions.map(({ edit = {} }) => edit), await editor.rename('b', 5)];
  assert.ok(edits.length > 5);
  for (const edit of edits) {
    assert.deepEqual(Object.keys(edit), ['changes']);
    assert.deepEqual(Object.keys(edit.changes ?? {}), [uri]);
  }
  await editor.server.stop();
});

test('positions in versioned edits are those of a client that counts bytes', async () => {
  const editor = await startEditor({
    general: { positionEncodings: ['utf-8'] },
    workspace: { workspaceEdit: { documentChanges: true } },
  });
  const { documentChanges = [] } = await editor.rename('b', 5);
  const ends = documentChanges.flatMap((change) =>
    TextDocumentEdit.is(change)
      ? change.edits.map((each) => ('range' in each ? each.range.end.character : -1))
      : [],
  );
  assert.deepEqual(ends.sort(), [14, 7].sort());
  await editor.server.stop();
});

test('formatting obeys the word of the client on white space at ends, and passes over nonsense', async () => {
  const { server } = await startEditor({});
  const text = 'from a  \nRUN x';
  await server.change(uri, 2, [{ text }]);
  const formatted = async (ends: Record<string, unknown>): Promise<string> => {
    const edits = await server.connection.sendRequest<TextEdit[]>('textDocument/formatting', {
      textDocument: { uri },
      options: { tabSize: 2, insertSpaces: true, ...ends },
    });
    return TextDocument.applyEdits(TextDocument.create(uri, 'dockerfile', 2, text), edits);
  };
  const trimmed = 'FROM a\nRUN x\n';
  assert.equal(await formatted({}), trimmed);
  assert.equal(await formatted({ insertFinalNewline: 'no', trimTrailingWhitespace: 0 }), trimmed);
  assert.equal(await formatted({ insertFinalNewline: false }), 'FROM a\nRUN x');
  assert.equal(await formatted({ trimTrailingWhitespace: false }), 'FROM a  \nRUN x\n');
  await server.stop();
});
