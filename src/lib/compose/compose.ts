/**
 * Reads a compose file (compose-spec.io) into typed services with positions and problems: image, build, command and
 * ports so far. Pure; never throws. Variables are put into values, never into keys, before they are read.
 */
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type ParsedNode,
  type YAMLMap,
} from 'yaml';
import { expandWords } from '../dockerfile/expand.ts';
import { LineIndex, type Range, type Span } from '../text/lines.ts';
import { interpolate } from './interpolate.ts';
import { type Port, readPort, readProtocol, readRange } from './ports.ts';

export type ComposeProblemCode =
  'Yaml' | 'Interpolation' | 'UnsetVariable' | 'WrongType' | 'InvalidPort' | 'NoImage';

export interface ComposeProblem {
  readonly code: ComposeProblemCode;
  readonly message: string;
  readonly range: Span;
  readonly severity: 'error' | 'warning';
}

export interface Build {
  /** Relative to the compose file's folder. */
  readonly context: string;
  readonly dockerfile: string | undefined;
  readonly target: string | undefined;
  /** An undefined value is taken from the environment. */
  readonly args: ReadonlyMap<string, string | undefined>;
}

export interface Service {
  readonly name: string;
  /** The service's key and value in the file. */
  readonly range: Range;
  readonly image: string | undefined;
  readonly build: Build | undefined;
  /** Undefined: the image's own; empty: none. */
  readonly command: readonly string[] | undefined;
  readonly ports: readonly Port[];
}

export interface Compose {
  readonly name: string | undefined;
  readonly services: readonly Service[];
  readonly problems: readonly ComposeProblem[];
}

export type Environment = (name: string) => string | undefined;

/** Reads a compose file's text with the variables that `env` gives. */
export function readCompose(text: string, env: Environment): Compose {
  return new ComposeReader(text, env).read();
}

/** A merge of merges deeper than this is an attack or a mistake. */
const MERGE_LIMIT = 20;

type Fields = ReadonlyMap<string, Node | null>;

class ComposeReader {
  private readonly lines: LineIndex;
  private readonly problems: ComposeProblem[] = [];
  private readonly text: string;
  private readonly env: Environment;
  private document: ReturnType<typeof parseDocument> | undefined;

  constructor(text: string, env: Environment) {
    this.text = text;
    this.env = env;
    this.lines = new LineIndex(text);
  }

  read(): Compose {
    const root = this.parse();
    const fields =
      root === undefined ? new Map<string, Node>() : this.fields(root, 'a compose file');
    const name = this.string(fields.get('name'), 'name');
    const declared = this.resolve(fields.get('services'));
    const services = isMap(declared) ? this.services(declared) : [];
    if (declared !== undefined && !isMap(declared))
      this.wrongType(declared, 'services', 'a mapping of services');
    return { name, services, problems: this.problems };
  }

  private parse(): Node | undefined {
    try {
      const document = parseDocument(this.text, {
        lineCounter: new LineCounter(),
        logLevel: 'silent',
      });
      this.document = document;
      for (const { message, pos } of document.errors) {
        this.report({
          code: 'Yaml',
          message: firstLine(message),
          range: { start: pos[0], end: pos[1] },
        });
      }
      return document.contents ?? undefined;
    } catch (error) {
      // Nesting beyond the stack; the parser itself has no limit.
      const message = error instanceof RangeError ? 'the file is nested too deeply' : String(error);
      this.report({ code: 'Yaml', message, range: { start: 0, end: this.text.length } });
      return undefined;
    }
  }

  private services(map: YAMLMap): Service[] {
    const found: Service[] = [];
    for (const [name, node] of this.fields(map, 'services')) {
      const value = this.resolve(node);
      if (isMap(value)) found.push(this.service(name, value));
      else this.wrongType(value ?? map, `services.${name}`, 'a mapping');
    }
    return found;
  }

  private service(name: string, map: YAMLMap): Service {
    const path = `services.${name}`;
    const fields = this.fields(map, path);
    const image = this.string(fields.get('image'), `${path}.image`);
    const build = this.build(fields.get('build'), `${path}.build`);
    const whole = fields.has('extends') || fields.has('provider');
    if (image === undefined && build === undefined && !whole) {
      const message = `service ${name} has neither an image nor a build`;
      this.report({ code: 'NoImage', message, range: rangeOf(map) });
    }
    const command = this.command(fields.get('command'), `${path}.command`);
    return { name, range: rangeOf(map), image, build, command, ports: this.ports(fields, path) };
  }

  private build(node: Node | null | undefined, path: string): Build | undefined {
    const value = this.resolve(node);
    if (value === undefined) return undefined;
    const none = { dockerfile: undefined, target: undefined, args: new Map<string, string>() };
    if (!isMap(value)) {
      const context = this.string(value, path);
      return context === undefined ? undefined : { context, ...none };
    }
    const fields = this.fields(value, path);
    return {
      context: this.string(fields.get('context'), `${path}.context`) ?? '.',
      dockerfile: this.string(fields.get('dockerfile'), `${path}.dockerfile`),
      target: this.string(fields.get('target'), `${path}.target`),
      args: this.pairs(fields.get('args'), `${path}.args`),
    };
  }

  /** A mapping, or a list of `name=value` and `name`. */
  private pairs(node: Node | null | undefined, path: string): Map<string, string | undefined> {
    const pairs = new Map<string, string | undefined>();
    const value = this.resolve(node);
    if (isMap(value)) {
      for (const [name, item] of this.fields(value, path))
        pairs.set(name, this.string(item, `${path}.${name}`));
    } else if (isSeq(value)) {
      for (const text of this.strings(value.items, path)) {
        const equals = text.indexOf('=');
        if (equals < 0) pairs.set(text, undefined);
        else pairs.set(text.slice(0, equals), text.slice(equals + 1));
      }
    } else if (value !== undefined)
      this.wrongType(value, path, 'a mapping or a list of name=value');
    return pairs;
  }

  private command(node: Node | null | undefined, path: string): readonly string[] | undefined {
    const value = this.resolve(node);
    if (value === undefined) return undefined;
    if (isSeq(value)) return this.strings(value.items, path);
    const text = this.string(value, path);
    if (text === undefined) return undefined;
    const split = expandWords(text, () => undefined, { escape: '\\', keepUnset: true });
    const [problem] = split.problems;
    if (problem !== undefined) {
      this.report({
        code: 'WrongType',
        message: `${path}: ${problem.message}`,
        range: rangeOf(value),
      });
    }
    return split.words.map((word) => word.value);
  }

  private ports(fields: Fields, path: string): Port[] {
    const value = this.resolve(fields.get('ports'));
    if (value === undefined) return [];
    if (!isSeq(value)) {
      this.wrongType(value, `${path}.ports`, 'a list of ports');
      return [];
    }
    return value.items.flatMap((item, index) => {
      const node = this.resolve(item as ParsedNode);
      const place = `${path}.ports[${String(index)}]`;
      if (node === undefined) return [];
      return (isMap(node) ? this.longPort(node, place) : this.shortPort(node, place)) ?? [];
    });
  }

  private shortPort(node: Node, path: string): Port | undefined {
    const text = this.string(node, path);
    if (text === undefined) return undefined;
    const read = readPort(text);
    if (read.port === undefined) {
      this.report({ code: 'InvalidPort', message: read.message, range: rangeOf(node) });
    }
    return read.port;
  }

  private longPort(map: YAMLMap, path: string): Port | undefined {
    const fields = this.fields(map, path);
    const text = (key: string): string | undefined =>
      this.string(fields.get(key), `${path}.${key}`);
    const target = readRange(text('target') ?? '');
    const publishedText = text('published');
    const published = publishedText ? readRange(publishedText, { zero: true }) : undefined;
    const protocol = readProtocol(text('protocol') ?? 'tcp');
    if (
      target !== undefined &&
      protocol !== undefined &&
      (published !== undefined || !publishedText)
    ) {
      return { target, published, hostIp: text('host_ip'), protocol };
    }
    const wrong =
      target === undefined ? 'target' : protocol === undefined ? 'protocol' : 'published';
    const message = `${path}.${wrong} is missing or no valid value`;
    this.report({ code: 'InvalidPort', message, range: rangeOf(fields.get(wrong) ?? map) });
    return undefined;
  }

  private strings(items: readonly unknown[], path: string): string[] {
    return items.flatMap((item, index) => {
      return this.string(item as ParsedNode | null, `${path}[${String(index)}]`) ?? [];
    });
  }

  /** A scalar as a string, with its variables put in; undefined when it is absent, null or no scalar. */
  private string(node: Node | null | undefined, path: string): string | undefined {
    const value = this.resolve(node);
    if (value === undefined) return undefined;
    if (!isScalar(value)) {
      this.wrongType(value, path, 'a string');
      return undefined;
    }
    if (value.value === null) return undefined;
    const text = typeof value.value === 'string' ? value.value : (value.source ?? '');
    const { value: result, faults, unset } = interpolate(text, this.env);
    const range = rangeOf(value);
    for (const fault of faults) {
      this.report({
        code: 'Interpolation',
        message: `${path}: ${fault.message}`,
        range: within(range, text, fault),
      });
    }
    for (const name of unset) {
      const message = `variable ${name} is not set: an empty string is taken`;
      this.report({ code: 'UnsetVariable', message, range, severity: 'warning' });
    }
    return result;
  }

  /** A mapping's fields with those of its merges (`<<`), which its own override. */
  private fields(node: Node, path: string, depth = 0): Fields {
    const found = new Map<string, Node | null>();
    if (!isMap(node)) {
      this.wrongType(node, path, 'a mapping');
      return found;
    }
    for (const { key, value } of node.items) {
      const name = isScalar(key) ? String(key.value) : '';
      if (name === '<<' && depth < MERGE_LIMIT) {
        for (const [merged, item] of this.merged(value as Node | null, path, depth)) {
          if (!found.has(merged)) found.set(merged, item);
        }
      }
    }
    for (const { key, value } of node.items) {
      if (isScalar(key) && key.value !== '<<') found.set(String(key.value), value as Node | null);
    }
    return found;
  }

  private merged(node: Node | null, path: string, depth: number): Fields {
    const value = this.resolve(node);
    if (value === undefined) return new Map();
    if (!isSeq(value)) return this.fields(value, path, depth + 1);
    const found = new Map<string, Node | null>();
    for (const item of value.items.slice(0, MERGE_LIMIT)) {
      for (const [name, field] of this.merged(item as Node | null, path, depth + 1)) {
        if (!found.has(name)) found.set(name, field);
      }
    }
    return found;
  }

  private resolve(node: Node | null | undefined): Node | undefined {
    const value = isAlias(node) && this.document ? node.resolve(this.document) : node;
    if (value === null || value === undefined) return undefined;
    return isScalar(value) && value.value === null ? undefined : value;
  }

  private wrongType(node: Node, path: string, wanted: string): void {
    this.report({ code: 'WrongType', message: `${path} must be ${wanted}`, range: rangeOf(node) });
  }

  private report(
    found: Omit<ComposeProblem, 'range' | 'severity'> & { range: Range; severity?: 'warning' },
  ): void {
    const { code, message, range, severity = 'error' } = found;
    this.problems.push({ code, message, range: this.lines.span(range), severity });
  }
}

function rangeOf(node: Node): Range {
  const [start, end] = node.range ?? [0, 0];
  return { start, end };
}

/** A place in a scalar; exact where the text stands in the file as it is, the whole scalar otherwise. */
function within(range: Range, text: string, { start, end }: Range): Range {
  const quotes = range.end - range.start - text.length;
  if (quotes !== 0 && quotes !== 2) return range;
  const first = range.start + quotes / 2;
  return { start: first + start, end: first + end };
}

function firstLine(message: string): string {
  return (message.split('\n', 1)[0] ?? '').replace(/ at line \d+, column \d+:?$/, '');
}
