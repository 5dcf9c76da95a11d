/**
 * Owns what the user chose for the language server: the section `pinnace.languageServer` of the client's settings.
 * What has a wrong type counts as not set; nothing here trusts the client's JSON.
 */
import { isRecord } from '../src/lib/record.ts';

export interface Settings {
  /** Asking registries for tags and image configurations; acts only in a trusted workspace. */
  readonly registryLookups: boolean;
  /** Asking an engine that runs on this machine for its images. */
  readonly engineLookups: boolean;
  /** The engine's socket, or '' for the usual place. */
  readonly engineSocket: string;
  /** ShellCheck's program: '' for the one in the PATH, `off`, or an absolute path. */
  readonly shellcheck: string;
  /** Sizes, times and the cache's state at the ends of instructions. */
  readonly inlayHints: boolean;
  /** The last build and the actions above stages. */
  readonly codeLenses: boolean;
  /** Problems of Dockerfiles that are not open, for a client that asks for them. */
  readonly workspaceDiagnostics: boolean;
  /** The whole section as it came, for the parts that have settings of their own (rules, formatter). */
  readonly section: Readonly<Record<string, unknown>>;
}

/** The section in the client's settings. */
export const SECTION = 'pinnace.languageServer';

export const DEFAULTS: Settings = {
  registryLookups: true,
  engineLookups: true,
  engineSocket: '',
  shellcheck: '',
  inlayHints: true,
  codeLenses: true,
  workspaceDiagnostics: true,
  section: {},
};

/** The settings of a section; `null`, a missing section and wrong types give the defaults. */
export function readSettings(value: unknown): Settings {
  if (!isRecord(value)) return DEFAULTS;
  return {
    registryLookups: booleanOf(value['registryLookups'], DEFAULTS.registryLookups),
    engineLookups: booleanOf(value['engineLookups'], DEFAULTS.engineLookups),
    engineSocket: typeof value['engineSocket'] === 'string' ? value['engineSocket'] : '',
    shellcheck: typeof value['shellcheck'] === 'string' ? value['shellcheck'] : '',
    inlayHints: booleanOf(value['inlayHints'], DEFAULTS.inlayHints),
    codeLenses: booleanOf(value['codeLenses'], DEFAULTS.codeLenses),
    workspaceDiagnostics: booleanOf(value['workspaceDiagnostics'], DEFAULTS.workspaceDiagnostics),
    section: value,
  };
}

/** The section within the settings of a `workspace/didChangeConfiguration`; undefined when it is not there. */
export function sectionOf(settings: unknown): unknown {
  const pinnace = isRecord(settings) ? settings['pinnace'] : undefined;
  return isRecord(pinnace) ? pinnace['languageServer'] : undefined;
}

function booleanOf(value: unknown, otherwise: boolean): boolean {
  return typeof value === 'boolean' ? value : otherwise;
}
