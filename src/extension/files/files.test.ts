/** Tests of files in the editor: addresses, the store's rules, the rows, and the commands with a desk of the test. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import type { Command } from '../commands/desk.ts';
import { type FakeAnswers, fakeDesk, fakeEngines } from '../commands/fake-desk.ts';
import { changes, compareWithImage, openFolder } from '../commands/files/compare.ts';
import { copyPath, newFile, newFolder, open, remove, rename } from '../commands/files/edit.ts';
import { download, upload } from '../commands/files/transfer.ts';
import type { ContainerSummary } from '../../lib/api/containers.ts';
import type { FileEntry } from '../../lib/api/files.ts';
import { EngineError } from '../../lib/errors.ts';
import type { ContainerNode, FileNode, ImageNode, Node } from '../views/nodes.ts';
import { addressOf, addressText, partsOf, parseAddressText } from './address.ts';
import { FilesBranch } from './branch.ts';
import { FileStore } from './store.ts';

const ID = 'c'.repeat(64);
const IMAGE = `sha256:${'1'.repeat(64)}`;
const CONTAINER: ContainerNode = {
  kind: 'container',
  id: ID,
  name: 'web',
  summary: { Id: ID, Names: ['/web'] } as ContainerSummary,
};

/** An engine of our own kind with the given files; folders are paths that end in a slash. */
function transport(files: Map<string, string>): {
  readonly calls: string[];
  readonly transport: object;
} {
  const calls: string[] = [];
  const entry = (path: string): FileEntry => {
    const isFolder = files.has(`${path}/`) || path === '/';
    if (!isFolder && !files.has(path)) throw new EngineError('not-found', `no such file: ${path}`);
    return {
      name: path.slice(path.lastIndexOf('/') + 1) || '/',
      type: isFolder ? 'directory' : 'file',
      size: path.endsWith('huge') ? 1e9 : (files.get(path)?.length ?? 0),
      mode: 0o644,
      mtime: 0,
      uid: 0,
      gid: 0,
    };
  };
  interface Call {
    readonly query: Readonly<Record<string, string | number | boolean>>;
    readonly body?: Readable;
  }
  const note = (name: string, { query }: Call): string => {
    const path = String(query['path']);
    if (!['pinnace.file-stat', 'pinnace.files-list'].includes(name))
      calls.push(`${name} ${path}${'to' in query ? ` ${String(query['to'])}` : ''}`);
    return path;
  };
  return {
    calls,
    transport: {
      open: (name: string, call: Call) => {
        const path = note(name, call);
        const header = Buffer.from(JSON.stringify(entry(path))).toString('base64');
        const stream = Readable.from([Buffer.from(files.get(path) ?? '')]);
        return Promise.resolve(Object.assign(stream, { headers: { 'x-pinnace-file': header } }));
      },
      json: (name: string, call: Call) => {
        const folder = note(name, call).replace(/\/$/, '');
        const names = [...files.keys()]
          .filter((path) => path.startsWith(`${folder}/`) && path !== `${folder}/`)
          .map((path) => path.slice(folder.length + 1))
          .filter((rest) => !rest.slice(0, -1).includes('/'))
          .sort();
        const after = call.query['after'];
        const start = after === undefined ? 0 : names.indexOf(String(after)) + 1;
        const page = names.slice(start, start + 2).map((name) => name.replace(/\/$/, ''));
        const last = names[start + 1];
        const next = start + 2 < names.length && last !== undefined ? last : null;
        return Promise.resolve({ entries: page.map((child) => entry(`${folder}/${child}`)), next });
      },
      send: async (name: string, call: Call) => {
        const path = note(name, call);
        if (name === 'pinnace.file-mkdir') files.set(`${path}/`, '');
        if (name === 'pinnace.file-delete') files.delete(path);
        if (name === 'pinnace.file-write' && call.body !== undefined) {
          const chunks: Buffer[] = [];
          for await (const chunk of call.body) chunks.push(chunk as Buffer);
          files.set(path, Buffer.concat(chunks).toString());
        }
        return 'done';
      },
    },
  };
}

const FILES: readonly (readonly [string, string])[] = [
  ['/etc/', ''],
  ['/etc/hosts', 'localhost'],
  ['/etc/motd', 'hi'],
  ['/etc/huge', ''],
  ['/tmp/', ''],
];

interface Rig {
  readonly files: Map<string, string>;
  readonly calls: string[];
  readonly answers: FakeAnswers;
  readonly run: (
    command: Command,
    targets?: readonly Node[],
    more?: FakeAnswers,
    argument?: unknown,
  ) => Promise<readonly string[]>;
}

function rig(): Rig {
  const files = new Map(FILES);
  const { calls, transport: wire } = transport(files);
  const containers = {
    inspect: () => Promise.resolve({ Image: IMAGE }),
    changes: () =>
      Promise.resolve([
        { Path: '/etc', Kind: 0 },
        { Path: '/etc/hosts', Kind: 0 },
        { Path: '/new', Kind: 1 },
      ]),
    list: () => Promise.resolve([CONTAINER.summary]),
  };
  const answers: FakeAnswers = {
    client: { transport: wire, containers },
    holdings: { container: [CONTAINER.summary] },
  };
  return {
    files,
    calls,
    answers,
    run: async (command, targets = [], more = {}, argument) =>
      fakeDesk({ ...answers, ...more }).run(command, targets, argument),
  };
}

const file = (path: string, type: FileNode['type'] = 'file'): FileNode => ({
  kind: 'file',
  uri: addressText({ kind: 'container', id: ID, path }),
  of: 'container',
  under: '',
  path,
  name: path.slice(path.lastIndexOf('/') + 1),
  type,
  size: 1,
});

test('addresses stand for containers, images and volumes, capitals and odd names too', () => {
  for (const address of [
    { kind: 'container', id: ID, path: '/a b/ü#?%41' },
    { kind: 'image', id: IMAGE, path: '/' },
    { kind: 'volume', id: 'My_Data.1', path: '/x' },
    { kind: 'volume', id: 'data', path: '/x', engine: '0123abcd' },
  ] as const) {
    assert.deepEqual(addressOf(partsOf(address)), address);
    assert.deepEqual(parseAddressText(addressText(address)), address);
    assert.equal(partsOf(address).authority, partsOf(address).authority.toLowerCase());
  }
  for (const text of [
    'file:///etc',
    'pinnace-files://x+1/a',
    'pinnace-files://container+../a',
    'pinnace-files://container+a/../b',
    'pinnace-files://container+a/%ff',
  ])
    assert.throws(() => parseAddressText(text), { kind: 'invalid' }, text);
});

test('a file is created or replaced only as the editor asked for it', async () => {
  const { answers, files } = rig();
  const store = new FileStore(fakeEngines(answers));
  const told: string[] = [];
  store.onDidChange((list) =>
    told.push(...list.map(({ what, address }) => `${what} ${address.path}`)),
  );
  const at = (path: string) => ({ kind: 'container', id: ID, path }) as const;
  const text = Buffer.from('x');
  await assert.rejects(store.write(at('/none'), text, { create: false, overwrite: true }), {
    kind: 'not-found',
  });
  await assert.rejects(store.write(at('/etc/motd'), text, { create: true, overwrite: false }), {
    kind: 'conflict',
  });
  await store.write(at('/etc/motd'), text, { create: false, overwrite: true });
  await store.write(at('/new'), text, { create: true, overwrite: false });
  assert.equal(files.get('/new'), 'x');
  assert.deepEqual(told, ['changed /etc/motd', 'created /new']);
  await assert.rejects(store.read(at('/etc/huge')), /1000 MB; at most 64 MiB.*Download/);
  await assert.rejects(store.read(at('/etc')), /is a directory/);
});

test('rows show folders first, page by page, and the same file is the same object', async () => {
  const { answers } = rig();
  const engines = fakeEngines(answers);
  const store = new FileStore(engines);
  const branch = new FilesBranch(store);
  const [root] = branch.roots(CONTAINER);
  assert.ok(root?.kind === 'file');
  assert.deepEqual(branch.row(root).context, 'file root container writable');
  const folders = await branch.children(root);
  assert.deepEqual(
    folders.map((child) => branch.row(child).label),
    ['etc', 'tmp'],
  );
  const [etc] = folders;
  assert.ok(etc?.kind === 'file');
  const first = await branch.children(etc);
  assert.deepEqual(
    first.map((child) => branch.row(child).label),
    ['hosts', 'huge', 'Show More Files'],
  );
  assert.equal(branch.row(first[0] ?? etc).description, '9 B');
  let changed = 0;
  branch.onDidChange(() => (changed += 1));
  await branch.more(etc.uri);
  assert.equal(changed, 1);
  const all = await branch.children(etc);
  assert.deepEqual(
    all.map((child) => branch.row(child).label),
    ['hosts', 'huge', 'motd'],
  );
  assert.equal(all[0], first[0]);
  assert.equal(branch.parent(all[0] ?? etc), etc);
});

test('a volume of another engine is not taken for one of the same name', async () => {
  const { answers } = rig();
  const docker = { ...answers, entry: { id: 'unix:///docker.sock', label: 'Docker' } };
  const own = { kind: 'volume', id: 'data', path: '/etc/motd' } as const;
  const there = new FileStore(fakeEngines(docker)).rooted(own);
  assert.match(there.engine ?? '', /^[0-9a-f]{8}$/);
  assert.equal((await new FileStore(fakeEngines(docker)).stat(there)).size, 2);
  const here = new FileStore(fakeEngines(answers));
  assert.deepEqual(here.rooted(own), own);
  await assert.rejects(here.stat(there), /volume data is one of another engine than/);
  await assert.rejects(new FileStore(fakeEngines(docker)).stat(own), { kind: 'unavailable' });
});

test('two tags of one image have rows of their own', () => {
  const { answers } = rig();
  const engines = fakeEngines(answers);
  const branch = new FilesBranch(new FileStore(engines));
  const ids = ['a:1', 'a:2'].map((reference) => {
    const [root] = branch.roots({ kind: 'image', id: IMAGE, reference } as ImageNode);
    assert.ok(root !== undefined);
    return branch.row(root).id;
  });
  assert.equal(new Set(ids).size, 2);
});

test('files are opened, made, renamed and deleted', async () => {
  const { run, calls, files } = rig();
  const hosts = file('/etc/hosts');
  assert.deepEqual(await run(open, [hosts]), [`execute pinnace.files.show "${hosts.uri}"`]);
  await run(newFile, [file('/etc', 'directory')], { answers: ['conf'] });
  assert.equal(files.get('/etc/conf'), '');
  const refused = await run(newFile, [file('/etc', 'directory')], { answers: ['../x'] });
  assert.ok(refused.includes('refused A name without slashes'));
  await run(newFolder, [hosts], { answers: ['beside'] });
  assert.ok(files.has('/etc/beside/'));
  await run(rename, [hosts], { answers: ['hosts2'] });
  const kept = await run(remove, [hosts], { confirms: [false] });
  assert.ok(kept.includes('confirm Delete file /etc/hosts in web? | Delete'));
  assert.ok(!calls.some((call) => call.startsWith('pinnace.file-delete')));
  await run(remove, [file('/etc', 'directory'), hosts]);
  assert.deepEqual(calls.slice(-2), [
    'pinnace.file-rename /etc/hosts /etc/hosts2',
    'pinnace.file-delete /etc',
  ]);
  assert.deepEqual(await run(copyPath, [hosts, file('/a')]), ['copy /etc/hosts\n/a']);
  await assert.rejects(run(remove, [file('/', 'root')]), { kind: 'invalid' });
  await assert.rejects(run(rename, [{ ...hosts, of: 'image' }]), { kind: 'forbidden' });
  await assert.rejects(run(rename, []), { kind: 'invalid' });
});

test('from the palette a command asks for the container and the path', async () => {
  const { run } = rig();
  const journal = await run(open, [], { picks: ['web'], answers: ['/etc//hosts'] });
  assert.equal(journal.at(-1), `execute pinnace.files.show "${file('/etc/hosts').uri}"`);
});

test('a file is compared with that of the image, and changed files are listed', async () => {
  const { run } = rig();
  const left = addressText({ kind: 'image', id: IMAGE, path: '/etc/hosts' });
  const wanted = `execute pinnace.files.compare "${left}" "${file('/etc/hosts').uri}" "/etc/hosts (image ↔ web)"`;
  assert.equal((await run(compareWithImage, [file('/etc/hosts')])).at(-1), wanted);
  await assert.rejects(run(compareWithImage, [file('/only/here')]), /The image has no/);
  const listed = await run(changes, [CONTAINER], { picks: ['$(diff-modified) /etc/hosts'] });
  assert.ok(listed.includes('pick web: 2 changed files'));
  assert.equal(listed.at(-1), wanted);
  const mounted = await run(openFolder, [CONTAINER]);
  assert.equal(mounted.at(-1), `execute pinnace.files.mount "${file('/').uri}" "web"`);
});

test('files go up and down, and nothing is replaced without a question', async () => {
  const { run, files } = rig();
  const dir = mkdtempSync(join(tmpdir(), 'pinnace-files-'));
  const target = join(dir, 'copy');
  await run(download, [file('/etc/hosts')], { files: [target] });
  assert.equal(readFileSync(target, 'utf8'), 'localhost');
  writeFileSync(join(dir, 'motd'), 'changed');
  const at = [file('/etc', 'directory')];
  const asked = await run(upload, at, { files: [join(dir, 'motd')], confirms: [false] });
  assert.ok(asked.includes('confirm Write over what is in web? | Upload'));
  assert.equal(files.get('/etc/motd'), 'hi');
  await run(upload, at, { files: [join(dir, 'motd')] });
  assert.equal(files.get('/etc/motd'), 'changed');
  await run(upload, [], {}, { target: file('/tmp', 'directory'), paths: [target] });
  assert.equal(files.get('/tmp/copy'), 'localhost');
  const brought = (name: string) => ({ name, read: () => Promise.resolve(Buffer.from('brought')) });
  const onto = { target: file('/tmp', 'directory') };
  await run(upload, [], {}, { ...onto, files: [brought('a.txt'), brought('b.txt')] });
  assert.equal(files.get('/tmp/b.txt'), 'brought');
  await assert.rejects(run(upload, [], {}, { ...onto, files: [brought('../a')] }), {
    kind: 'invalid',
  });
  await run(download, [file('/etc', 'directory')], { files: [dir] });
  assert.equal(readFileSync(join(dir, 'etc/motd'), 'utf8'), 'changed');
  await assert.rejects(run(download, [file('/etc', 'directory')], { files: [dir] }), {
    kind: 'conflict',
  });
  rmSync(dir, { recursive: true });
});
