/**
 * Reads `RUN --mount=…` and `--device=…`. A value with a variable in it is left out of the typed fields when it is read
 * without a way to expand it; the builder reads the mount again with the step's variables.
 */
import { suggestion, type Finding } from './problems.ts';
import { readBoolean, readBytes, readUnsigned } from '../text/quantity.ts';
import { decodedWord, subWord } from './source.ts';
import type { Mount, MountOption, MountType, Word } from './syntax.ts';

export const MOUNT_TYPES = ['bind', 'cache', 'tmpfs', 'secret', 'ssh'] as const;
export const SHARING_MODES = ['shared', 'private', 'locked'] as const;

/** Every key of a mount, with what it stands for. */
const KEYS: Readonly<Record<string, string>> = {
  type: 'type',
  from: 'from',
  source: 'source',
  src: 'source',
  target: 'target',
  dst: 'target',
  destination: 'target',
  readonly: 'readonly',
  ro: 'readonly',
  readwrite: 'readwrite',
  rw: 'readwrite',
  required: 'required',
  size: 'size',
  id: 'id',
  sharing: 'sharing',
  mode: 'mode',
  uid: 'uid',
  gid: 'gid',
  env: 'env',
};

export const MOUNT_KEYS: readonly string[] = Object.keys(KEYS);

/** Far above what a mount can use. */
const OPTION_LIMIT = 100;

interface Draft {
  readonly mount: { -readonly [key in keyof Mount]: Mount[key] };
  /** Read-only or not, where an option says so. */
  access: boolean | undefined;
  /** The option `sharing` is there. */
  shared: boolean;
}

export interface ReadMount {
  readonly mount: Mount;
  readonly findings: readonly Finding[];
}

/** Gives the value of a word with its variables; undefined when that cannot be known yet. */
export type Expander = (word: Word) => string | undefined;

/** Expands nothing: words with variables stay unknown. */
const constantsOnly: Expander = (word) => (word.text.includes('$') ? undefined : word.text);

/** Reads one mount. With an expander the texts of the answer's words are the expanded ones. */
export function readMount(word: Word, expand: Expander = constantsOnly): ReadMount {
  const findings: Finding[] = [];
  const options = splitFields(word).map(optionOf);
  if (options.length > OPTION_LIMIT) {
    const message = `a mount has at most ${String(OPTION_LIMIT)} options`;
    findings.push({ code: 'InvalidMount', message, range: word.range });
    return { mount: emptyMount(word, []), findings };
  }
  const draft: Draft = { mount: emptyMount(word, options), access: undefined, shared: false };
  for (const option of options) {
    const message = applyOption(draft, option, expand);
    if (message === undefined) continue;
    const range = option.value?.range ?? option.keyRange;
    findings.push({ code: 'InvalidMount', message, range });
  }
  for (const message of contradictions(draft)) {
    findings.push({ code: 'InvalidMount', message, range: word.range });
  }
  const { mount, access } = draft;
  mount.readonly = access ?? !(mount.type === 'cache' || mount.type === 'tmpfs');
  return { mount, findings };
}

function emptyMount(word: Word, options: readonly MountOption[]): Draft['mount'] {
  return {
    type: 'bind',
    options,
    range: word.range,
    from: undefined,
    source: undefined,
    target: undefined,
    id: undefined,
    sharing: 'shared',
    readonly: true,
    required: false,
    env: undefined,
    mode: undefined,
    uid: undefined,
    gid: undefined,
    size: undefined,
  };
}

/** Applies one `key=value`; gives the message of what is wrong with it. */
function applyOption(draft: Draft, option: MountOption, expand: Expander): string | undefined {
  const key = Object.hasOwn(KEYS, option.key) ? KEYS[option.key] : undefined;
  if (key === undefined)
    return `a mount has no key '${option.key}'${suggestion(option.key, MOUNT_KEYS)}`;
  if (option.value === undefined) return applyBare(draft, key);
  if (key === 'from' && expand === constantsOnly && /\$./.test(option.value.text)) {
    return "a mount's from takes no variables: name a stage with FROM … AS and use that name";
  }
  const value = expand(option.value);
  if (key === 'from' || key === 'source' || key === 'target' || key === 'id' || key === 'env') {
    draft.mount[key] = value === undefined ? option.value : { ...option.value, text: value };
    return undefined;
  }
  return value === undefined ? undefined : applyValue(draft, { key, value });
}

function applyBare(draft: Draft, key: string): string | undefined {
  if (key === 'readonly' || key === 'readwrite') {
    draft.access = key === 'readonly';
    return undefined;
  }
  if (key !== 'required') return `${key} needs a value: ${key}=…`;
  return setRequired(draft.mount, { required: true });
}

function applyValue(
  draft: Draft,
  { key, value }: { key: string; value: string },
): string | undefined {
  const { mount } = draft;
  if (key === 'type') return setType(mount, value);
  if (key === 'sharing') return setSharing(draft, value);
  if (key === 'mode' || key === 'uid' || key === 'gid') {
    const number = readUnsigned(value, key === 'mode' ? 8 : 10);
    mount[key] = number;
    return number === undefined ? `invalid value '${value}' for ${key}` : undefined;
  }
  if (key === 'size') {
    if (mount.type !== 'tmpfs')
      return `size is for tmpfs mounts, this one is of type ${mount.type}`;
    mount.size = readBytes(value);
    return mount.size === undefined ? `invalid value '${value}' for size` : undefined;
  }
  const on = readBoolean(value);
  if (on === undefined) return `${key} is true or false, not '${value}'`;
  if (key === 'required') return setRequired(mount, { required: on });
  draft.access = key === 'readonly' ? on : !on;
  return undefined;
}

function setRequired(
  mount: Draft['mount'],
  { required }: { required: boolean },
): string | undefined {
  if (mount.type !== 'secret' && mount.type !== 'ssh') {
    return `required is for secret and ssh mounts, this one is of type ${mount.type}`;
  }
  mount.required = required;
  return undefined;
}

function setType(mount: Draft['mount'], value: string): string | undefined {
  const type: MountType | undefined = MOUNT_TYPES.find((known) => known === value.toLowerCase());
  if (type === undefined)
    return `unsupported mount type '${value}'${suggestion(value, MOUNT_TYPES)}`;
  mount.type = type;
  return undefined;
}

function setSharing(draft: Draft, value: string): string | undefined {
  const sharing = SHARING_MODES.find((known) => known === value.toLowerCase());
  if (sharing === undefined)
    return `unsupported sharing '${value}'${suggestion(value, SHARING_MODES)}`;
  draft.mount.sharing = sharing;
  draft.shared = true;
  return undefined;
}

function contradictions({ mount, shared }: Draft): string[] {
  const typeKnown = !mount.options.some(
    ({ key, value }) => key === 'type' && value?.text.includes('$') === true,
  );
  if (!typeKnown) return [];
  const messages: string[] = [];
  const { type } = mount;
  if (type === 'bind' || type === 'tmpfs') {
    for (const key of ['mode', 'uid', 'gid'] as const) {
      if (mount[key] !== undefined)
        messages.push(`${key} is not allowed for mounts of type ${type}`);
    }
  }
  if (shared && type !== 'cache')
    messages.push(`sharing is for cache mounts, this one is of type ${type}`);
  if (type !== 'secret') return messages;
  if (mount.from !== undefined) messages.push('a secret mount takes no from');
  if (!mount.source && !mount.target && !mount.id)
    messages.push('a secret mount needs id, source or target');
  if (mount.source && mount.id) messages.push('a secret mount takes id or source, not both');
  return messages;
}

/** The comma-separated fields of a value; a field may stand in double quotes, with `""` for a quote (RFC 4180). */
function splitFields(word: Word): Word[] {
  const { text } = word;
  const fields: Word[] = [];
  let at = 0;
  while (at <= text.length) {
    const end = fieldEnd(text, at);
    const field = subWord(word, at, end);
    if (text[at] === '"') {
      const decoded = field.text.replace(/^"/, '').replace(/"$/, '').replaceAll('""', '"');
      fields.push(decodedWord(decoded, field.range));
    } else fields.push(field);
    at = end + 1;
  }
  return fields;
}

function fieldEnd(text: string, start: number): number {
  let at = start;
  if (text[at] === '"') {
    at++;
    while (at < text.length && (text[at] !== '"' || text[at + 1] === '"'))
      at += text[at] === '"' ? 2 : 1;
  }
  const comma = text.indexOf(',', at);
  return comma < 0 ? text.length : comma;
}

function optionOf(field: Word): MountOption {
  const equals = field.text.indexOf('=');
  const end = equals < 0 ? field.text.length : equals;
  const key = field.text.slice(0, end).toLowerCase();
  const keyRange = subWord(field, 0, end).range;
  const value = equals < 0 ? undefined : subWord(field, equals + 1, field.text.length);
  return { key, keyRange, value };
}
