// Makes the base images from Debian packages and the npm registry, once, as archives that `docker load` takes. Nothing of them comes from an image registry.
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { ensurePackages } from './debian.ts';
import { must, ROOT } from './shell.ts';

/** Where the archives are kept. */
export const IMAGES_DIR = join(ROOT, '.cache', 'images');

/** Raised when a recipe changes, so that old archives are made again. */
const RECIPE = 3;
const CREATED = '2026-01-01T00:00:00Z';
const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const ARCHITECTURES: Record<string, string> = { x64: 'amd64', arm64: 'arm64' };

interface Layer {
  readonly file: string;
  readonly diffId: string;
  readonly createdBy: string;
}

interface Recipe {
  readonly name: string;
  readonly packages: readonly string[];
  readonly config: Record<string, unknown>;
  readonly layers: (work: string) => Promise<Layer[]>;
}

/** The archive of an image, made or not: `busybox:latest` → busybox_latest.tar. */
export function archiveOf(name: string): string {
  return join(IMAGES_DIR, `${name.replaceAll(/[/:]/g, '_')}.${RECIPE}.tar`);
}

export const IMAGE_NAMES = [
  'busybox:latest',
  'debian:bookworm-slim',
  'node:24-bookworm-slim',
] as const;

/** Redis and PostgreSQL of Debian, for the network's tests alone: made when they ask for it. */
export const SERVICES_IMAGE = 'services:bookworm';

/** Makes the archives that are missing. Returns the paths by name. */
export async function makeImages(
  names: readonly string[] = IMAGE_NAMES,
): Promise<Map<string, string>> {
  const paths = new Map<string, string>();
  for (const recipe of RECIPES.filter(({ name }) => names.includes(name))) {
    const archive = archiveOf(recipe.name);
    if (!existsSync(archive)) await makeImage(recipe, archive);
    paths.set(recipe.name, archive);
  }
  return paths;
}

async function makeImage(recipe: Recipe, archive: string): Promise<void> {
  const started = performance.now();
  console.log(`images: making ${recipe.name} from Debian packages`);
  await ensurePackages(recipe.packages);
  mkdirSync(IMAGES_DIR, { recursive: true });
  const work = mkdtempSync(join(IMAGES_DIR, 'work-'));
  try {
    await packArchive(recipe, await recipe.layers(work), work, archive);
  } finally {
    await must('rm', ['-rf', work]);
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  console.log(
    `images: ${recipe.name} is ready, ${Math.round(statSync(archive).size / 1e6)} MB, ${seconds} s`,
  );
}

async function packArchive(
  recipe: Recipe,
  layers: readonly Layer[],
  work: string,
  archive: string,
): Promise<void> {
  const out = join(work, 'archive');
  mkdirSync(out);
  const config = JSON.stringify({
    architecture: ARCHITECTURES[process.arch] ?? process.arch,
    os: 'linux',
    created: CREATED,
    config: recipe.config,
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history: layers.map(({ createdBy }) => ({ created: CREATED, created_by: createdBy })),
  });
  const configName = `${createHash('sha256').update(config).digest('hex')}.json`;
  writeFileSync(join(out, configName), config);
  const names = layers.map(({ diffId, file }) => {
    const name = `${diffId.slice('sha256:'.length)}.tar`;
    symlinkSync(file, join(out, name));
    return name;
  });
  writeFileSync(
    join(out, 'manifest.json'),
    JSON.stringify([{ Config: configName, RepoTags: [recipe.name], Layers: names }]),
  );
  await must('tar', [
    '-C',
    out,
    '--dereference',
    '--owner=0',
    '--group=0',
    '-cf',
    `${archive}.new`,
    'manifest.json',
    configName,
    ...names,
  ]);
  renameSync(`${archive}.new`, archive);
}

/** One layer from a tree: sorted, with fixed times, so that the same packages give the same digest. */
async function layerOf(tree: string, file: string, createdBy: string): Promise<Layer> {
  await must('tar', [
    '-C',
    tree,
    '--sort=name',
    '--numeric-owner',
    '--owner=0',
    '--group=0',
    '--mtime=@1767225600',
    '-cf',
    file,
    '.',
  ]);
  return { file, diffId: await digestOf(file), createdBy };
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return `sha256:${hash.digest('hex')}`;
}

async function busyboxLayers(work: string): Promise<Layer[]> {
  const tree = join(work, 'busybox');
  for (const dir of ['bin', 'etc', 'root', 'home', 'var/spool', 'usr/bin', 'usr/sbin', 'sbin']) {
    mkdirSync(join(tree, dir), { recursive: true });
  }
  mkdirSync(join(tree, 'tmp'), { recursive: true });
  chmodSync(join(tree, 'tmp'), 0o1777);
  copyFileSync('/bin/busybox', join(tree, 'bin', 'busybox'));
  chmodSync(join(tree, 'bin', 'busybox'), 0o755);
  const applets = (await must('/bin/busybox', ['--list'], { output: 'collect' }))
    .split('\n')
    .filter((name) => name !== '' && name !== 'busybox');
  for (const applet of applets) symlinkSync('busybox', join(tree, 'bin', applet));
  writeFileSync(
    join(tree, 'etc', 'passwd'),
    'root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/bin/false\nwww-data:x:33:33:www-data:/var/www:/bin/false\nnobody:x:65534:65534:nobody:/home:/bin/false\n',
  );
  writeFileSync(
    join(tree, 'etc', 'group'),
    'root:x:0:\ndaemon:x:1:\nwww-data:x:33:\nusers:x:100:\nnogroup:x:65534:\n',
  );
  return [await layerOf(tree, join(work, 'busybox.tar'), 'busybox-static of Debian 12')];
}

/** A minimal Debian with these packages besides. */
async function debianLayers(work: string, packages: readonly string[] = []): Promise<Layer[]> {
  const raw = join(work, 'debian.tar');
  const root = process.getuid?.() === 0;
  await must(
    'mmdebstrap',
    [
      `--mode=${root ? 'root' : 'unshare'}`,
      '--variant=minbase',
      `--include=${['ca-certificates', ...packages].join(',')}`,
      '--dpkgopt=path-exclude=/usr/share/doc/*',
      '--dpkgopt=path-exclude=/usr/share/man/*',
      '--dpkgopt=path-exclude=/usr/share/locale/*',
      '--aptopt=Apt::Install-Recommends "false"',
      // The image must not carry this machine's names, mirrors or package lists.
      '--customize-hook=rm -rf "$1"/etc/hostname "$1"/etc/resolv.conf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/* "$1"/var/log/* "$1"/etc/apt/sources.list.d/* "$1"/etc/apt/auth.conf.d/* "$1"/etc/apt/apt.conf.d/*proxy*',
      '--customize-hook=echo "deb http://deb.debian.org/debian bookworm main" > "$1"/etc/apt/sources.list',
      '--quiet',
      'bookworm',
      raw,
      ...(existsSync('/etc/apt/sources.list') && statSync('/etc/apt/sources.list').size > 0
        ? ['/etc/apt/sources.list']
        : []),
    ],
    { output: 'collect', env: { SOURCE_DATE_EPOCH: '1767225600' } },
  );
  return [
    { file: raw, diffId: await digestOf(raw), createdBy: 'mmdebstrap --variant=minbase bookworm' },
  ];
}

const ENTRYPOINT = `#!/bin/sh
set -e
# A first argument that is an option or no program of the image is meant for node.
if [ "\${1#-}" != "\${1}" ] || [ -z "$(command -v "\${1}")" ] || { [ -f "\${1}" ] && ! [ -x "\${1}" ]; }; then
  set -- node "$@"
fi
exec "$@"
`;

async function nodeLayers(work: string): Promise<Layer[]> {
  const base = await baseLayers('debian:bookworm-slim', work);
  const tree = join(work, 'node');
  for (const dir of ['usr/local/bin', 'usr/local/lib/node_modules', 'etc', 'home/node', 'usr/lib'])
    mkdirSync(join(tree, dir), { recursive: true });
  copyFileSync(join(ROOT, 'node_modules', 'node', 'bin', 'node'), join(tree, 'usr/local/bin/node'));
  symlinkSync('node', join(tree, 'usr/local/bin/nodejs'));
  writeFileSync(join(tree, 'usr/local/bin/docker-entrypoint.sh'), ENTRYPOINT);
  chmodSync(join(tree, 'usr/local/bin/docker-entrypoint.sh'), 0o755);
  const packed =
    (
      await must('npm', ['pack', '--silent', '--pack-destination', work, 'npm@11.19.1'], {
        output: 'collect',
      })
    )
      .trim()
      .split('\n')
      .at(-1) ?? '';
  mkdirSync(join(tree, 'usr/local/lib/node_modules/npm'));
  await must('tar', [
    '-C',
    join(tree, 'usr/local/lib/node_modules/npm'),
    '--strip-components=1',
    '--no-same-owner',
    '-xzf',
    join(work, packed),
  ]);
  for (const program of ['npm', 'npx'])
    symlinkSync(
      `../lib/node_modules/npm/bin/${program}-cli.js`,
      join(tree, 'usr/local/bin', program),
    );
  await addLibraries(work, tree);
  await addUser(base[0]?.file ?? '', tree);
  const layer = await layerOf(tree, join(work, 'node.tar'), 'Node 24 and npm of the npm registry');
  return [...base, await ownHome(layer, work)];
}

/** The files of libstdc++ that Node needs and minbase lacks, from their Debian packages. */
async function addLibraries(work: string, tree: string): Promise<void> {
  const debs = join(work, 'debs');
  mkdirSync(debs);
  await must(
    'sh',
    [
      '-c',
      'apt-get download -qq libstdc++6 libgcc-s1 libatomic1 && for deb in *.deb; do dpkg-deb -x "$deb" tree; done',
    ],
    { cwd: debs, output: 'collect' },
  );
  await must(
    'sh',
    [
      '-c',
      `mkdir -p "${tree}/usr/lib" && cp -a tree/usr/lib/*-linux-gnu "${tree}/usr/lib/" && { [ ! -d tree/lib ] || cp -a tree/lib/*-linux-gnu "${tree}/usr/lib/"; }`,
    ],
    { cwd: debs },
  );
}

/** passwd and group of the base with the user `node` (1000) added, as Docker's own node image has. */
async function addUser(baseTar: string, tree: string): Promise<void> {
  for (const [file, line] of [
    ['etc/passwd', 'node:x:1000:1000::/home/node:/bin/bash\n'],
    ['etc/group', 'node:x:1000:\n'],
  ] as const) {
    writeFileSync(
      join(tree, file),
      (await must('tar', ['-xOf', baseTar, `./${file}`], { output: 'collect' })) + line,
    );
  }
}

/** The home directory belongs to the user; GNU tar adds it again as a later entry of the same archive. */
async function ownHome(layer: Layer, work: string): Promise<Layer> {
  const home = join(work, 'home');
  mkdirSync(join(home, 'home/node'), { recursive: true });
  await must('tar', [
    '-C',
    home,
    '--append',
    '--numeric-owner',
    '--owner=1000',
    '--group=1000',
    '--mtime=@1767225600',
    '-f',
    layer.file,
    './home/node',
  ]);
  return { ...layer, diffId: await digestOf(layer.file) };
}

/** The layers of an image made before, taken out of its archive. */
async function baseLayers(name: string, work: string): Promise<Layer[]> {
  const archive = (await makeImages([name])).get(name) ?? '';
  const dir = join(work, 'base');
  mkdirSync(dir);
  await must('tar', ['-C', dir, '-xf', archive]);
  const manifest = JSON.parse(readFileSync(join(dir, 'manifest.json'), 'utf8')) as {
    Layers: string[];
  }[];
  return (manifest[0]?.Layers ?? []).map((file) => ({
    file: join(dir, file),
    diffId: `sha256:${file.replace('.tar', '')}`,
    createdBy: 'mmdebstrap --variant=minbase bookworm',
  }));
}

const RECIPES: readonly Recipe[] = [
  {
    name: 'busybox:latest',
    packages: ['busybox-static'],
    config: { Env: [PATH], Cmd: ['sh'] },
    layers: busyboxLayers,
  },
  {
    name: 'debian:bookworm-slim',
    packages: ['mmdebstrap', 'debian-archive-keyring'],
    config: { Env: [PATH], Cmd: ['bash'] },
    layers: (work) => debianLayers(work),
  },
  {
    name: SERVICES_IMAGE,
    packages: ['mmdebstrap', 'debian-archive-keyring'],
    config: { Env: [`${PATH}:/usr/lib/postgresql/15/bin`], Cmd: ['bash'] },
    layers: (work) => debianLayers(work, ['redis-server', 'postgresql']),
  },
  {
    name: 'node:24-bookworm-slim',
    packages: [],
    config: {
      Env: [PATH, `NODE_VERSION=${process.versions.node}`],
      Entrypoint: ['docker-entrypoint.sh'],
      Cmd: ['node'],
    },
    layers: nodeLayers,
  },
];
