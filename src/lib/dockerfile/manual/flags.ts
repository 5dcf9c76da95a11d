/** The manual of the flags: what each does and the values that it knows. Data only. */
import type { InstructionKind } from '../syntax.ts';
import { type Entry, reference } from './entry.ts';

export interface Value {
  readonly value: string;
  readonly summary: string;
}

export interface FlagEntry extends Entry {
  /** What may stand behind the equals sign, in words. */
  readonly placeholder: string;
  /** Values worth offering; the flag may take others unless `closed`. */
  readonly values: readonly Value[];
  readonly closed: boolean;
}

type FlagEntries = Readonly<Record<string, FlagEntry>>;

const SWITCH: readonly Value[] = [
  { value: 'true', summary: 'on, as without a value' },
  { value: 'false', summary: 'off' },
];

/** Platforms that images are commonly made for. */
const PLATFORMS: readonly Value[] = [
  { value: '$BUILDPLATFORM', summary: 'the platform of the machine that builds' },
  { value: '$TARGETPLATFORM', summary: 'the platform that is built for (the default)' },
  ...[
    'linux/amd64',
    'linux/arm64',
    'linux/arm/v7',
    'linux/arm/v6',
    'linux/386',
    'linux/ppc64le',
    'linux/s390x',
    'linux/riscv64',
    'windows/amd64',
  ].map((value) => ({ value, summary: `images for ${value}` })),
];

const DURATIONS: readonly Value[] = ['5s', '10s', '30s', '1m', '5m'].map((value) => ({
  value,
  summary: 'a duration',
}));

function duration(summary: string, text: string): FlagEntry {
  return {
    summary,
    text,
    link: reference('healthcheck'),
    placeholder: 'duration',
    values: DURATIONS,
    closed: false,
  };
}

function transfer(anchor: 'copy' | 'add'): FlagEntries {
  return {
    chown: {
      summary: 'owner and group of what is copied',
      text: 'Names are looked up in the image, numbers are taken as they are. Without it files belong to root.',
      link: reference(`${anchor}---chown---chmod`),
      placeholder: 'user:group',
      values: [
        { value: 'root:root', summary: 'root, as without the flag' },
        { value: '1000:1000', summary: "commonly the first user's numbers" },
      ],
      closed: false,
    },
    chmod: {
      summary: 'mode of what is copied',
      text: 'Octal (`755`) or symbolic (`u=rwX,go=rX`).',
      link: reference(`${anchor}---chown---chmod`),
      placeholder: 'mode',
      values: [
        { value: '644', summary: 'rw-r--r--' },
        { value: '755', summary: 'rwxr-xr-x' },
        { value: '600', summary: 'rw-------' },
        { value: '700', summary: 'rwx------' },
        {
          value: 'u=rwX,go=rX',
          summary: 'as 755 for directories and programs, as 644 for the rest',
        },
      ],
      closed: false,
    },
    link: {
      summary: 'copies into a layer of its own that does not depend on those below',
      text: 'The layer is reused when the base image changes. Symbolic links in the destination are not followed.',
      link: reference(`${anchor}---link`),
      placeholder: 'true|false',
      values: SWITCH,
      closed: true,
    },
    exclude: {
      summary: 'leaves out what matches a pattern',
      text: 'May be given several times; the patterns are those of .dockerignore and count from each source.',
      link: reference(`${anchor}---exclude`),
      placeholder: 'pattern',
      values: [],
      closed: false,
    },
  };
}

const MOUNT: FlagEntry = {
  summary: 'mounts something for this one command',
  text: 'Types: bind, cache, tmpfs, secret, ssh. Nothing of the mount is in the layer.',
  link: reference('run---mount'),
  placeholder: 'type=…,key=value,…',
  values: [],
  closed: false,
};

const TABLE: Readonly<Partial<Record<InstructionKind, FlagEntries>>> = {
  FROM: {
    platform: {
      summary: 'the platform of a base image that has several',
      text: 'Without it the platform that is built for is taken.',
      link: reference('from'),
      placeholder: 'os/architecture[/variant]',
      values: PLATFORMS,
      closed: false,
    },
  },
  RUN: {
    mount: MOUNT,
    network: {
      summary: 'the network of this one command',
      text: '',
      link: reference('run---network'),
      placeholder: 'default|none|host',
      values: [
        { value: 'default', summary: "the build's network" },
        { value: 'none', summary: 'no network but loopback' },
        { value: 'host', summary: "the host's network; the build must allow network.host" },
      ],
      closed: true,
    },
    security: {
      summary: 'the privileges of this one command',
      text: '',
      link: reference('run---security'),
      placeholder: 'sandbox|insecure',
      values: [
        { value: 'sandbox', summary: 'as any other command' },
        {
          value: 'insecure',
          summary: 'with all privileges; the build must allow security.insecure',
        },
      ],
      closed: true,
    },
    device: {
      summary: 'gives this one command a device of the builder',
      text: 'A CDI name such as `vendor.com/gpu=all`; the build must allow it.',
      link: reference('run---device'),
      placeholder: 'name[,required]',
      values: [{ value: 'nvidia.com/gpu=all', summary: "all of NVIDIA's GPUs" }],
      closed: false,
    },
  },
  COPY: {
    ...transfer('copy'),
    from: {
      summary: 'where the sources are: a stage, an image or a named context',
      text: 'Variables are not expanded here.',
      link: reference('copy---from'),
      placeholder: 'stage|image|context',
      values: [],
      closed: false,
    },
    parents: {
      summary: "keeps the sources' directories beneath the destination",
      text: 'What stands before `/./` in a source is not kept.',
      link: reference('copy---parents'),
      placeholder: 'true|false',
      values: SWITCH,
      closed: true,
    },
  },
  ADD: {
    ...transfer('add'),
    checksum: {
      summary: 'the digest that a remote source must have',
      text: '`sha256:…` for files, a commit for git addresses. Another content fails the build.',
      link: reference('add---checksum'),
      placeholder: 'sha256:digest',
      values: [{ value: 'sha256:', summary: 'a SHA-256 digest in hexadecimal' }],
      closed: false,
    },
    'keep-git-dir': {
      summary: 'keeps the .git directory of a git source',
      text: '',
      link: reference('add---keep-git-dir'),
      placeholder: 'true|false',
      values: SWITCH,
      closed: true,
    },
    unpack: {
      summary: 'unpacks archives, also remote ones, or leaves local ones packed',
      text: 'Without it local archives are unpacked and remote ones are not.',
      link: reference('add---unpack'),
      placeholder: 'true|false',
      values: SWITCH,
      closed: true,
    },
  },
  HEALTHCHECK: {
    interval: duration('time between two checks', 'Default: 30s.'),
    timeout: duration('time after which a check has failed', 'Default: 30s.'),
    'start-period': duration(
      'time to start in, during which failures do not count',
      'Default: 0s. The first success ends it.',
    ),
    'start-interval': duration(
      'time between two checks in the start period',
      'Default: 5s. Needs Engine 25 or newer.',
    ),
    retries: {
      summary: 'failures in a row that make the container unhealthy',
      text: 'Default: 3.',
      link: reference('healthcheck'),
      placeholder: 'number',
      values: ['1', '3', '5'].map((value) => ({ value, summary: 'failures in a row' })),
      closed: false,
    },
  },
};

const NONE: FlagEntries = {};

/** The manual's entries of an instruction's flags, by name without dashes. */
export function flagEntries(kind: InstructionKind): FlagEntries {
  return TABLE[kind] ?? NONE;
}

/** One flag's entry; undefined when the instruction has no such flag. */
export function flagEntry(kind: InstructionKind, name: string): FlagEntry | undefined {
  const entries = flagEntries(kind);
  return Object.hasOwn(entries, name) ? entries[name] : undefined;
}
