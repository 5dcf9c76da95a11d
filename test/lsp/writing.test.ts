/** What helps while writing, over the wire and by the language's own tables: each instruction, flag, mount key, modifier and predefined variable, and all of it within ONBUILD too. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  type CompletionItem,
  InsertTextFormat,
  type SignatureHelp,
  SignatureHelpRequest,
} from 'vscode-languageserver/node';
import { flagTable } from '../../src/lib/dockerfile/flags.ts';
import { FILE_SNIPPETS, INSTRUCTIONS } from '../../src/lib/dockerfile/manual/instructions.ts';
import { MOUNTS } from '../../src/lib/dockerfile/manual/mounts.ts';
import {
  MODIFIERS,
  PLATFORM_ARGUMENTS,
  PROXY_ARGUMENTS,
} from '../../src/lib/dockerfile/manual/variables.ts';
import { MOUNT_TYPES } from '../../src/lib/dockerfile/mounts.ts';
import { INSTRUCTION_KINDS } from '../../src/lib/dockerfile/statement.ts';
import { LanguageServer } from '../support/language-server.ts';

const uri = 'file:///writing/Dockerfile';
const DEFERRED = INSTRUCTION_KINDS.filter(
  (kind) => kind !== 'FROM' && kind !== 'ONBUILD' && kind !== 'MAINTAINER',
);

let server: LanguageServer;
let version = 1;
before(async () => {
  const completion = { completionItem: { snippetSupport: true } };
  server = await LanguageServer.start({ capabilities: { textDocument: { completion } } });
  await server.open(uri, '');
});
after(() => server.stop());

/** Makes the text the document's; the position of its |. */
async function write(marked: string): Promise<{ line: number; character: number }> {
  await server.change(uri, ++version, [{ text: marked.replace('|', '') }]);
  const lines = marked.slice(0, marked.indexOf('|')).split('\n');
  return { line: lines.length - 1, character: lines.at(-1)?.length ?? 0 };
}

async function items(marked: string): Promise<CompletionItem[]> {
  return server.complete(uri, await write(marked));
}

async function labels(marked: string): Promise<string[]> {
  return (await items(marked)).map(({ label }) => label);
}

async function hover(marked: string): Promise<string> {
  return server.hover(uri, await write(marked));
}

async function signature(marked: string): Promise<SignatureHelp | null> {
  const position = await write(marked);
  return server.connection.sendRequest(SignatureHelpRequest.type, {
    textDocument: { uri },
    position,
  });
}

/** The text of the parameter that the cursor is at. */
function active(help: SignatureHelp | null): string {
  const one = help?.signatures[help.activeSignature ?? 0];
  const label = one?.parameters?.[help?.activeParameter ?? 0]?.label;
  return typeof label === 'string' ? label : (one?.label.slice(...(label ?? [0, 0])) ?? '');
}

for (const before of ['', 'ONBUILD ']) {
  describe(before === '' ? 'in an instruction' : 'within ONBUILD', () => {
    const kinds = before === '' ? INSTRUCTION_KINDS : DEFERRED;
    const start = `FROM a AS stage\nARG V=1\n${before}`;

    test('all keywords are completed, explained and have a signature', async () => {
      const found = await labels(`${start}|`);
      assert.deepEqual(
        found.filter((label) => /^[A-Z]+$/.test(label)),
        kinds,
      );
      for (const kind of kinds) {
        assert.match(
          await hover(`${start}${kind.slice(0, 1)}|${kind.slice(1)} x\n`),
          /docs\.docker/,
          kind,
        );
        const help = await signature(`${start}${kind} |x\n`);
        assert.equal(help?.signatures.length, INSTRUCTIONS[kind].forms.length, kind);
      }
    });

    test('all flags are completed, explained and have a signature', async () => {
      for (const kind of kinds) {
        const flags = Object.keys(flagTable(kind));
        if (flags.length === 0) continue;
        const own = `${start}${kind} --|`;
        assert.deepEqual(
          await labels(own),
          flags.map((flag) => `--${flag}`),
          kind,
        );
        for (const flag of flags) {
          const text = `${start}${kind} --${flag}|=x y z\n`;
          assert.match(await hover(text), new RegExp(`--${flag}`), text);
          const help = await signature(`${start}${kind} --${flag}=|`);
          assert.match(help?.signatures[0]?.label ?? '', new RegExp(`^--${flag}=`), text);
        }
      }
    });

    test('all mounts and their keys are completed, explained and have a signature', async () => {
      assert.deepEqual(
        (await labels(`${start}RUN --mount=type=|`)).sort(),
        [...MOUNT_TYPES].sort(),
      );
      for (const type of MOUNT_TYPES) {
        const keys = Object.keys(MOUNTS[type].keys);
        assert.deepEqual(await labels(`${start}RUN --mount=type=${type},|`), keys, type);
        for (const key of keys) {
          const text = `${start}RUN --mount=type=${type},${key}`;
          assert.match(
            await hover(`${text}|=x,target=/x y\n`),
            new RegExp(`\`${key}\` \\(${type}\\)`),
            text,
          );
          assert.match(active(await signature(`${text}=|`)), new RegExp(`^\\[${key}`), text);
        }
      }
    });

    test('variables and modifiers are completed, and a value is told', async () => {
      const names = await labels(`${start}RUN echo $|`);
      for (const name of ['V', ...Object.keys(PROXY_ARGUMENTS)])
        assert.ok(names.includes(name), name);
      const modifiers = await labels(`${start}WORKDIR \${V:|`);
      for (const { operator, operand } of MODIFIERS.filter((one) => one.operator.startsWith(':')))
        assert.ok(modifiers.includes(`${operator}${operand}`), operator);
      assert.match(await hover(`${start}WORKDIR /$|V\n`), /V=1/);
    });

    test('stages are completed where they are named', async () => {
      for (const text of ['COPY --from=|', 'RUN --mount=type=bind,from=|'])
        assert.ok((await labels(`${start}${text}`)).includes('stage'), text);
    });
  });
}

describe('in a file', () => {
  test('FROM sees the variables of the platform and the global ones', async () => {
    const names = await labels('ARG G=1\nFROM --platform=$|');
    for (const name of ['G', ...Object.keys(PLATFORM_ARGUMENTS)])
      assert.ok(names.includes(name), name);
  });

  test('snippets are offered for instructions and for whole files', async () => {
    const snippets = async (marked: string): Promise<string[]> =>
      (await items(marked))
        .filter(({ insertTextFormat }) => insertTextFormat === InsertTextFormat.Snippet)
        .map(({ label }) => label);
    const whole = await snippets('|');
    for (const { label } of FILE_SNIPPETS) assert.ok(whole.includes(`${label} …`), label);
    for (const kind of INSTRUCTION_KINDS) {
      const found = await snippets(`FROM a\n${kind.slice(0, 2)}|`);
      for (const { label } of INSTRUCTIONS[kind].snippets)
        assert.ok(found.includes(`${label} …`), label);
    }
  });

  test('directives, checks and comments of the linter are completed', async () => {
    assert.deepEqual(await labels('# |'), ['syntax', 'escape', 'check']);
    assert.ok((await labels('# check=skip=|')).includes('StageNameCasing'));
    assert.ok((await labels('FROM a\n# hadolint ignore=|')).includes('DL3008'));
  });

  test('ports and signals are explained', async () => {
    assert.match(await hover('FROM a\nEXPOSE 54|32\n'), /PostgreSQL/);
    assert.match(await hover('FROM a\nSTOPSIGNAL SIGQU|IT\n'), /SIGQUIT/);
  });

  test('a file that was never saved is served like any other', async () => {
    const untitled = 'untitled:Untitled-1';
    await server.open(untitled, 'FROM a AS x\nCOPY --from=\nRUNN y\n');
    assert.ok((await server.labels(untitled, { line: 1, character: 12 })).includes('x'));
    const { diagnostics } = await server.diagnostics(untitled, 1);
    assert.ok(diagnostics.some(({ code }) => code === 'UnknownInstruction'));
  });
});
