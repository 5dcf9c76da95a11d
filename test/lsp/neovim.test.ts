/** The language server in Neovim's own client, headless: what another editor makes of the messages. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ensurePackages } from '../../scripts/lib/debian.ts';

const CLI = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts');
const folder = mkdtempSync('/tmp/pinnace-neovim-');
after(() => rmSync(folder, { recursive: true, force: true }));
before(() => ensurePackages(['neovim']));

const TEXT = `FROM a:1 AS build
RUN cd /x && make
ENV FOO=1
RUN echo "\${FO}"
FROM a:1
COPY --from=build /x /y
maintainer me
`;

/** Works like a user's configuration; writes what came of it into a file. */
const SCRIPT = `
local out = {}
local function finish()
  local file = io.open(vim.env.OUT, 'w')
  file:write(vim.json.encode(out))
  file:close()
  vim.cmd('qa!')
end
local ok, failure = pcall(function()
  vim.cmd('edit ' .. vim.env.FILE)
  local buffer = vim.api.nvim_get_current_buf()
  local id = vim.lsp.start_client({
    name = 'pinnace',
    cmd = vim.json.decode(vim.env.SERVER),
    root_dir = vim.env.ROOT,
  })
  vim.lsp.buf_attach_client(buffer, id)
  vim.wait(20000, function() return #vim.diagnostic.get(buffer) > 2 end, 20)
  out.diagnostics = vim.tbl_map(function(one) return { one.lnum, one.code } end, vim.diagnostic.get(buffer))
  local function ask(method, line, character, more)
    local params = vim.tbl_extend('force', {
      textDocument = vim.lsp.util.make_text_document_params(buffer),
      position = { line = line, character = character },
    }, more or {})
    local answers = vim.lsp.buf_request_sync(buffer, method, params, 20000)
    local answer = answers and answers[id] or {}
    return answer.result, id
  end
  local items = ask('textDocument/completion', 3, 13).items
  out.completion = vim.tbl_map(function(item) return item.label end, items)
  out.hover = ask('textDocument/hover', 5, 14).contents.value
  out.definition = ask('textDocument/definition', 5, 14)
  out.symbols = vim.tbl_map(function(one) return one.name end, ask('textDocument/documentSymbol', 0, 0))
  local offset = vim.lsp.get_client_by_id(id).offset_encoding
  vim.lsp.util.apply_workspace_edit(ask('textDocument/rename', 0, 13, { newName = 'tools' }), offset)
  -- The change must be on its way before formatting is asked for.
  vim.api.nvim_buf_set_lines(buffer, 2, 3, false, { 'env FOO=1' })
  local edits = ask('textDocument/formatting', 0, 0, { options = { tabSize = 2, insertSpaces = true } })
  vim.lsp.util.apply_text_edits(edits, buffer, offset)
  out.text = table.concat(vim.api.nvim_buf_get_lines(buffer, 0, -1, false), '\\n')
  vim.lsp.stop_client(id)
  vim.wait(10000, function() return vim.lsp.get_client_by_id(id) == nil end, 20)
  out.stopped = vim.lsp.get_client_by_id(id) == nil
end)
if not ok then out.failure = tostring(failure) end
finish()
`;

interface Outcome {
  readonly failure?: string;
  readonly diagnostics: readonly (readonly [number, string])[];
  readonly completion: readonly string[];
  readonly hover: string;
  readonly definition: readonly { readonly targetSelectionRange: { readonly start: object } }[];
  readonly symbols: readonly string[];
  readonly text: string;
  readonly stopped: boolean;
}

test('problems, completion, hover, definition, outline, rename and formatting reach Neovim', async () => {
  const script = join(folder, 'init.lua');
  const file = join(folder, 'Dockerfile');
  const out = join(folder, 'out.json');
  writeFileSync(script, SCRIPT);
  writeFileSync(file, TEXT);
  const server = [process.execPath, '--disable-warning=ExperimentalWarning', CLI];
  const child = spawn('nvim', ['--headless', '--clean', '-n', '-c', `luafile ${script}`], {
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: 90_000,
    killSignal: 'SIGKILL',
    env: {
      ...process.env,
      HOME: folder,
      OUT: out,
      FILE: file,
      ROOT: folder,
      SERVER: JSON.stringify([...server, 'language-server', '--stdio']),
    },
  });
  assert.equal(await new Promise((resolve) => child.once('exit', resolve)), 0);
  const found = JSON.parse(readFileSync(out, 'utf8')) as Outcome;
  assert.equal(found.failure, undefined);
  const problems = found.diagnostics.map(([line, code]) => `${String(line)} ${code}`);
  assert.ok(problems.includes('6 MaintainerDeprecated'), problems.join());
  assert.ok(found.completion.includes('FOO'), found.completion.join());
  assert.match(found.hover, /Stage 0 `build`/);
  const starts = found.definition.map(({ targetSelectionRange }) => targetSelectionRange.start);
  assert.deepEqual(starts, [{ line: 0, character: 12 }]);
  assert.deepEqual(found.symbols, ['build', 'stage 1']);
  assert.match(found.text, /^FROM a:1 AS tools\n[\s\S]*\nENV FOO=1\n[\s\S]*--from=tools/);
  assert.equal(found.stopped, true);
});
