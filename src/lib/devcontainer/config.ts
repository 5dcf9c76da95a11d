/**
 * devcontainer.json as typed data: the image and Dockerfile forms, the workspace mount, users, environments and
 * lifecycle commands (containers.dev, "Dev Container metadata reference"). What is not supported is a problem, never ignored.
 */

import { parseTree, printParseErrorCode, type Node, type ParseError } from 'jsonc-parser';
import { EngineError } from '../errors.ts';

/** A shell line, a program with arguments, or several of those by name, run side by side. */
export type LifecycleCommand = string | string[] | Record<string, string | string[]>;

/** The commands of a container's life in their order; `postAttachCommand`, which follows each opening, is none of them. */
export const LIFECYCLE = [
  'initializeCommand',
  'onCreateCommand',
  'updateContentCommand',
  'postCreateCommand',
  'postStartCommand',
] as const;

export type Lifecycle = (typeof LIFECYCLE)[number];

export interface DevContainerConfig {
  name?: string;
  image?: string;
  build?: {
    dockerfile: string;
    context?: string;
    target?: string;
    args?: Record<string, string>;
    cacheFrom?: string | string[];
    options?: string[];
  };
  workspaceFolder?: string;
  workspaceMount?: string;
  mounts?: (string | { type?: string; source?: string; target: string })[];
  runArgs?: string[];
  containerUser?: string;
  remoteUser?: string;
  containerEnv?: Record<string, string>;
  remoteEnv?: Record<string, string | null>;
  overrideCommand?: boolean;
  init?: boolean;
  privileged?: boolean;
  capAdd?: string[];
  securityOpt?: string[];
  initializeCommand?: LifecycleCommand;
  onCreateCommand?: LifecycleCommand;
  updateContentCommand?: LifecycleCommand;
  postCreateCommand?: LifecycleCommand;
  postStartCommand?: LifecycleCommand;
  postAttachCommand?: LifecycleCommand;
  /** The last command that an editor waits for before it opens; default: updateContentCommand. */
  waitFor?: Lifecycle;
  /** Ports, or `host:port` of another container. */
  forwardPorts?: (number | string)[];
  /** Port, range or regular expression of a process → what the editor does with it. */
  portsAttributes?: Record<string, PortAttributes>;
  otherPortsAttributes?: PortAttributes;
  /** By tool; `vscode` is read by `editorOf`. */
  customizations?: Record<string, unknown>;
}

export interface PortAttributes {
  label?: string;
  protocol?: string;
  onAutoForward?: string;
}

/** What the configuration asks of VS Code. */
export interface EditorWishes {
  readonly extensions: readonly string[];
  readonly settings: Readonly<Record<string, unknown>>;
}

/** `customizations.vscode`; what has another form there is left out. An extension with a `-` before it is not wanted. */
export function editorOf(config: DevContainerConfig): EditorWishes {
  const wishes = config.customizations?.['vscode'];
  const { extensions, settings } = (
    typeof wishes === 'object' && wishes !== null ? wishes : {}
  ) as { extensions?: unknown; settings?: unknown };
  const listed = Array.isArray(extensions)
    ? extensions.filter((id): id is string => typeof id === 'string' && id !== '')
    : [];
  return {
    extensions: listed.filter((id) => !id.startsWith('-') && !listed.includes(`-${id}`)),
    settings:
      typeof settings === 'object' && settings !== null && !Array.isArray(settings)
        ? (settings as Record<string, unknown>)
        : {},
  };
}

export interface ConfigProblem {
  readonly severity: 'error' | 'warning';
  readonly message: string;
  /** The property's path, e.g. `build.target`. */
  readonly property: string;
  /** From 1. */
  readonly line: number;
}

type Check = (node: Node) => boolean;

const isString: Check = (node) => node.type === 'string';
const isBoolean: Check = (node) => node.type === 'boolean';
const isStrings: Check = (node) => node.type === 'array' && (node.children ?? []).every(isString);
const isStringOrStrings: Check = (node) => isString(node) || isStrings(node);
const isTextMap: Check = (node) =>
  node.type === 'object' && members(node).every(([, value]) => isString(value));
const isEnvironment: Check = (node) =>
  node.type === 'object' &&
  members(node).every(([, value]) => isString(value) || value.type === 'null');
const isCommand: Check = (node) =>
  isStringOrStrings(node) ||
  (node.type === 'object' && members(node).every(([, value]) => isStringOrStrings(value)));
const isMounts: Check = (node) =>
  node.type === 'array' &&
  (node.children ?? []).every((item) => isString(item) || item.type === 'object');
const isPorts: Check = (node) =>
  node.type === 'array' &&
  (node.children ?? []).every((item) => isString(item) || item.type === 'number');
const isObject: Check = (node) => node.type === 'object';
const isLifecycle: Check = (node) => LIFECYCLE.some((name) => name === node.value);

/** Property → what it must be, in words and as a check. */
const PROPERTIES: Record<string, [string, Check]> = {
  name: ['a string', isString],
  image: ['a string', isString],
  build: ['an object', isObject],
  workspaceFolder: ['a string', isString],
  workspaceMount: ['a string', isString],
  mounts: ['a list of mounts', isMounts],
  runArgs: ['a list of strings', isStrings],
  containerUser: ['a string', isString],
  remoteUser: ['a string', isString],
  containerEnv: ['an object of strings', isTextMap],
  remoteEnv: ['an object of strings or null', isEnvironment],
  overrideCommand: ['true or false', isBoolean],
  init: ['true or false', isBoolean],
  privileged: ['true or false', isBoolean],
  capAdd: ['a list of strings', isStrings],
  securityOpt: ['a list of strings', isStrings],
  initializeCommand: ['a command', isCommand],
  onCreateCommand: ['a command', isCommand],
  updateContentCommand: ['a command', isCommand],
  postCreateCommand: ['a command', isCommand],
  postStartCommand: ['a command', isCommand],
  postAttachCommand: ['a command', isCommand],
  waitFor: [`one of ${LIFECYCLE.join(', ')}`, isLifecycle],
  forwardPorts: ['a list of ports', isPorts],
  portsAttributes: ['an object', isObject],
  otherPortsAttributes: ['an object', isObject],
  customizations: ['an object', isObject],
};

const BUILD_PROPERTIES: Record<string, [string, Check]> = {
  dockerfile: ['a string', isString],
  context: ['a string', isString],
  target: ['a string', isString],
  args: ['an object of strings', isTextMap],
  cacheFrom: ['a string or a list of strings', isStringOrStrings],
  options: ['a list of strings', isStrings],
};

/** Properties that say nothing to the engine: editors and other tools read them. */
const FOR_OTHERS = new Set([
  '$schema',
  'shutdownAction',
  'userEnvProbe',
  'hostRequirements',
  'updateRemoteUserUID',
]);

/** Parsed configuration and its problems; the configuration holds the sound properties only. Never throws. */
export function parseDevContainer(text: string): {
  config: DevContainerConfig;
  problems: ConfigProblem[];
} {
  const errors: ParseError[] = [];
  const tree = parseTree(text, errors, { allowTrailingComma: true });
  const problems: ConfigProblem[] = errors.map(({ error, offset }) => ({
    severity: 'error',
    message: printParseErrorCode(error),
    property: '',
    line: lineAt(text, offset),
  }));
  if (tree?.type !== 'object') {
    if (problems.length === 0)
      problems.push({ severity: 'error', message: 'an object is needed', property: '', line: 1 });
    return { config: {}, problems };
  }
  const config = readObject(tree, PROPERTIES, '', { text, problems });
  const build = members(tree).find(([name]) => name === 'build')?.[1];
  if (build?.type === 'object')
    config['build'] = readObject(build, BUILD_PROPERTIES, 'build.', { text, problems });
  checkForm(config, problems);
  return { config: config, problems };
}

/** The configuration, or an `invalid` error with the first error's file, line and property. */
export function requireDevContainer(text: string, file: string): DevContainerConfig {
  const { config, problems } = parseDevContainer(text);
  const error = problems.find(({ severity }) => severity === 'error');
  if (error === undefined) return config;
  const property = error.property === '' ? '' : ` ${error.property}:`;
  throw new EngineError('invalid', `${file}:${error.line}:${property} ${error.message}`, {
    path: file,
  });
}

interface Report {
  readonly text: string;
  readonly problems: ConfigProblem[];
}

function readObject(
  node: Node,
  known: Record<string, [string, Check]>,
  prefix: string,
  report: Report,
): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [name, value] of members(node)) {
    const property = `${prefix}${name}`;
    const line = lineAt(report.text, value.offset);
    const expected = Object.hasOwn(known, name) ? known[name] : undefined;
    if (expected === undefined) {
      if (prefix !== '' || !FOR_OTHERS.has(name)) report.problems.push(unsupported(property, line));
    } else if (expected[1](value)) {
      result[name] = toValue(value);
    } else {
      report.problems.push({
        severity: 'error',
        message: `${expected[0]} is needed`,
        property,
        line,
      });
    }
  }
  return result;
}

/** Parts of the specification that would change what runs are refused, the rest is a warning. */
function unsupported(property: string, line: number): ConfigProblem {
  if (property === 'features' || property === 'dockerComposeFile') {
    return {
      severity: 'error',
      message: `${property} is not supported in this version; use image or build`,
      property,
      line,
    };
  }
  return { severity: 'warning', message: `unknown property ${property}`, property, line };
}

function checkForm(config: Record<string, unknown>, problems: ConfigProblem[]): void {
  if (problems.some(({ severity }) => severity === 'error')) return;
  const build = config['build'] as { dockerfile?: string } | undefined;
  if (config['image'] === undefined && build === undefined) {
    problems.push({
      severity: 'error',
      message: 'image or build is needed',
      property: 'image',
      line: 1,
    });
  } else if (build !== undefined && build.dockerfile === undefined) {
    problems.push({
      severity: 'error',
      message: 'a Dockerfile is needed',
      property: 'build.dockerfile',
      line: 1,
    });
  }
}

function members(node: Node): [string, Node][] {
  return (node.children ?? []).flatMap((property): [string, Node][] => {
    const [key, value] = property.children ?? [];
    return key === undefined || value === undefined ? [] : [[String(key.value), value]];
  });
}

function toValue(node: Node): unknown {
  if (node.type === 'array') return (node.children ?? []).map(toValue);
  if (node.type === 'object')
    return Object.fromEntries(members(node).map(([name, value]) => [name, toValue(value)]));
  return node.value as unknown;
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}
