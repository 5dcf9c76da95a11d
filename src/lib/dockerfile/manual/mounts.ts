/** The manual of `RUN --mount`: the types, and the keys that each of them takes. Data only. */
import type { MountType } from '../syntax.ts';
import type { Value } from './flags.ts';
import { type Entry, example, reference } from './entry.ts';

export interface KeyEntry extends Entry {
  readonly placeholder: string;
  readonly values: readonly Value[];
  /** Stands without a value, as a switch. */
  readonly bare: boolean;
  /** Other spellings of the key. */
  readonly aliases: readonly string[];
}

export interface MountEntry extends Entry {
  readonly keys: Readonly<Record<string, KeyEntry>>;
}

type Draft = Partial<Omit<KeyEntry, 'summary' | 'link'>>;

const LINK: Readonly<Record<MountType, string>> = {
  bind: reference('run---mounttypebind'),
  cache: reference('run---mounttypecache'),
  tmpfs: reference('run---mounttypetmpfs'),
  secret: reference('run---mounttypesecret'),
  ssh: reference('run---mounttypessh'),
};

function key(type: MountType, summary: string, draft: Draft = {}): KeyEntry {
  const base = { text: '', placeholder: 'value', values: [], bare: false, aliases: [] };
  return { ...base, summary, link: LINK[type], ...draft };
}

const ALL_TRUE: readonly Value[] = [
  { value: 'true', summary: 'yes' },
  { value: 'false', summary: 'no' },
];

const target = (type: MountType, text = ''): KeyEntry =>
  key(type, 'the path in the container', {
    text,
    placeholder: 'path',
    aliases: ['dst', 'destination'],
  });
const source = (type: MountType, text = ''): KeyEntry =>
  key(type, 'the path where the data comes from', { text, placeholder: 'path', aliases: ['src'] });
const from = (type: MountType): KeyEntry =>
  key(type, 'the stage, image or named context that holds the source', {
    text: 'Without it the build context is meant. Variables are not expanded.',
    placeholder: 'stage',
  });
const writable = (type: MountType): KeyEntry =>
  key(type, 'allows writing', { bare: true, values: ALL_TRUE, aliases: ['rw'] });
const readOnly = (type: MountType): KeyEntry =>
  key(type, 'forbids writing', { bare: true, values: ALL_TRUE, aliases: ['ro'] });
const required = (type: MountType): KeyEntry =>
  key(type, 'the build fails when the client does not give it', {
    text: 'Without it the command runs and finds nothing there.',
    bare: true,
    values: ALL_TRUE,
  });
const owner = (type: MountType): Pick<Readonly<Record<string, KeyEntry>>, string> => ({
  mode: key(type, 'the mode in octal', {
    placeholder: 'mode',
    values: [
      { value: '0400', summary: 'the owner may read' },
      { value: '0600', summary: 'the owner may read and write' },
      { value: '0755', summary: 'all may enter, the owner may write' },
    ],
  }),
  uid: key(type, "the owner's number", { placeholder: 'number', text: 'Default: 0.' }),
  gid: key(type, "the group's number", { placeholder: 'number', text: 'Default: 0.' }),
});

export const MOUNTS: Readonly<Record<MountType, MountEntry>> = {
  bind: {
    summary: 'shows files of the context, a stage or an image to the command',
    text: `The default type. It is read-only unless \`rw\`; what is written is thrown away.\n\n${example('RUN --mount=type=bind,source=package.json,target=package.json npm ci')}`,
    link: LINK.bind,
    keys: {
      target: target('bind'),
      source: source('bind', 'Default: the root of `from`.'),
      from: from('bind'),
      readwrite: writable('bind'),
      readonly: readOnly('bind'),
    },
  },
  cache: {
    summary: 'a directory that keeps its contents from build to build',
    text: `For compilers and package managers. A build must also work when it is empty.\n\n${example('RUN --mount=type=cache,target=/root/.cache/go-build go build ./...')}`,
    link: LINK.cache,
    keys: {
      target: target('cache'),
      id: key('cache', 'the name of the cache', {
        placeholder: 'name',
        text: 'Default: the target.',
      }),
      sharing: key('cache', 'what happens when two builds want it at once', {
        text: 'Default: shared.',
        placeholder: 'shared|private|locked',
        values: [
          { value: 'shared', summary: 'both write to it' },
          { value: 'private', summary: 'each has its own' },
          { value: 'locked', summary: 'the second one waits' },
        ],
      }),
      from: from('cache'),
      source: source('cache', 'What a new cache begins with; default: the root of `from`.'),
      readonly: readOnly('cache'),
      readwrite: writable('cache'),
      ...owner('cache'),
    },
  },
  tmpfs: {
    summary: 'an empty directory in memory',
    text: example('RUN --mount=type=tmpfs,target=/tmp,size=64m make check'),
    link: LINK.tmpfs,
    keys: {
      target: target('tmpfs'),
      size: key('tmpfs', 'how large it may become', {
        placeholder: 'bytes',
        text: 'With `k`, `m` or `g` for 1024s.',
        values: ['64m', '256m', '1g'].map((value) => ({ value, summary: 'a size' })),
      }),
    },
  },
  secret: {
    summary: 'a file or variable with a secret that is in no layer',
    text: `Given to the build with \`--secret id=…\`.\n\n${example('RUN --mount=type=secret,id=npm,env=NPM_TOKEN npm ci')}`,
    link: LINK.secret,
    keys: {
      id: key('secret', 'the name of the secret', {
        placeholder: 'name',
        text: 'Default: the last part of the target.',
      }),
      target: target('secret', 'Default: `/run/secrets/` and the id, unless `env` is given.'),
      env: key('secret', 'the environment variable that gets the secret', { placeholder: 'NAME' }),
      required: required('secret'),
      source: source('secret'),
      ...owner('secret'),
    },
  },
  ssh: {
    summary: "a socket to the client's ssh agent",
    text: `Given to the build with \`--ssh\`.\n\n${example('RUN --mount=type=ssh git clone git@example.com:a/b.git')}`,
    link: LINK.ssh,
    keys: {
      id: key('ssh', 'the name of the agent', { placeholder: 'name', text: 'Default: `default`.' }),
      target: target('ssh', 'Default: `/run/buildkit/ssh_agent.0`.'),
      required: required('ssh'),
      ...owner('ssh'),
    },
  },
};

/** The key `type` itself, which stands in every mount. */
export const TYPE_KEY: KeyEntry = {
  summary: 'the kind of mount',
  text: 'Default: bind.',
  link: reference('run---mount'),
  placeholder: 'bind|cache|tmpfs|secret|ssh',
  values: Object.entries(MOUNTS).map(([value, { summary }]) => ({ value, summary })),
  bare: false,
  aliases: [],
};

/** The entry of a key in a mount's type, by any of its spellings. */
export function keyEntry(type: MountType, name: string): KeyEntry | undefined {
  if (name === 'type') return TYPE_KEY;
  const { keys } = MOUNTS[type];
  if (Object.hasOwn(keys, name)) return keys[name];
  return Object.values(keys).find(({ aliases }) => aliases.includes(name));
}
