/** Resolves a seccomp profile in Docker's JSON form (conditions on capabilities, architecture, kernel) to the runtime-spec's `linux.seccomp`. Pure. */

import { EngineError } from '../../lib/errors.ts';

export interface SeccompArg {
  index: number;
  value: number;
  valueTwo?: number;
  op: string;
}

interface Condition {
  caps?: string[];
  arches?: string[];
  minKernel?: string;
}

export interface SeccompRule {
  /** Older profiles name one call. */
  name?: string;
  names?: string[];
  action: string;
  errnoRet?: number;
  args?: SeccompArg[] | null;
  includes?: Condition;
  excludes?: Condition;
}

/** Docker's profile format: the runtime-spec's with `archMap`, `includes` and `excludes`. */
export interface SeccompProfile {
  defaultAction: string;
  defaultErrnoRet?: number;
  architectures?: string[] | null;
  archMap?: { architecture: string; subArchitectures?: string[] | null }[] | null;
  flags?: string[];
  syscalls?: SeccompRule[] | null;
}

export interface SeccompFacts {
  /** The container's capabilities, with `CAP_`. */
  readonly capabilities: readonly string[];
  /** As the kernel says it: x86_64, aarch64. */
  readonly arch: string;
  /** As uname(2) says it: `6.18.0-…`. */
  readonly kernel: string;
}

const ARCHITECTURES: Readonly<Record<string, { docker: string; seccomp: string }>> = {
  x86_64: { docker: 'amd64', seccomp: 'SCMP_ARCH_X86_64' },
  aarch64: { docker: 'arm64', seccomp: 'SCMP_ARCH_AARCH64' },
};

/** `linux.seccomp` for a container with these facts. */
export function resolveSeccomp(
  profile: SeccompProfile,
  facts: SeccompFacts,
): Record<string, unknown> {
  const arch = ARCHITECTURES[facts.arch];
  const holds = (condition: Condition | undefined): boolean => {
    if (condition === undefined) return true;
    if ((condition.caps ?? []).some((name) => !facts.capabilities.includes(name))) return false;
    if (condition.minKernel !== undefined && !kernelAtLeast(facts.kernel, condition.minKernel))
      return false;
    const arches = condition.arches ?? [];
    return arches.length === 0 || (arch !== undefined && arches.includes(arch.docker));
  };
  const excluded = (condition: Condition | undefined): boolean => {
    if (condition === undefined) return false;
    if ((condition.caps ?? []).some((name) => facts.capabilities.includes(name))) return true;
    if (condition.minKernel !== undefined && kernelAtLeast(facts.kernel, condition.minKernel))
      return true;
    return arch !== undefined && (condition.arches ?? []).includes(arch.docker);
  };
  const syscalls = (profile.syscalls ?? [])
    .filter((rule) => holds(rule.includes) && !excluded(rule.excludes))
    .map((rule) => ({
      names: rule.names ?? (rule.name === undefined ? [] : [rule.name]),
      action: rule.action,
      ...(rule.errnoRet === undefined ? {} : { errnoRet: rule.errnoRet }),
      ...(rule.args == null || rule.args.length === 0 ? {} : { args: rule.args }),
    }));
  const mapped = (profile.archMap ?? []).find((entry) => entry.architecture === arch?.seccomp);
  const architectures =
    mapped === undefined
      ? (profile.architectures ?? [])
      : [mapped.architecture, ...(mapped.subArchitectures ?? [])];
  return {
    defaultAction: profile.defaultAction,
    ...(profile.defaultErrnoRet === undefined ? {} : { defaultErrnoRet: profile.defaultErrnoRet }),
    ...(architectures.length === 0 ? {} : { architectures }),
    ...(profile.flags === undefined ? {} : { flags: profile.flags }),
    syscalls,
  };
}

/** A user's profile from `--security-opt seccomp=<JSON>`. Throws `invalid` naming what is wrong. */
export function parseSeccomp(text: string): SeccompProfile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new EngineError(
      'invalid',
      `Decoding seccomp profile failed: ${error instanceof Error ? error.message : ''}`,
    );
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new EngineError('invalid', 'Decoding seccomp profile failed: not an object');
  }
  const profile = value as SeccompProfile;
  if (typeof profile.defaultAction !== 'string') {
    throw new EngineError('invalid', 'Decoding seccomp profile failed: defaultAction is missing');
  }
  const rules: unknown = profile.syscalls ?? [];
  if (!Array.isArray(rules))
    throw new EngineError('invalid', 'Decoding seccomp profile failed: syscalls is not a list');
  rules.forEach(checkRule);
  const arches: unknown = profile.architectures ?? [];
  if (!Array.isArray(arches))
    throw new EngineError(
      'invalid',
      'Decoding seccomp profile failed: architectures is not a list',
    );
  if (arches.length > 0 && (profile.archMap?.length ?? 0) > 0) {
    throw new EngineError(
      'invalid',
      "'architectures' and 'archMap' were specified in the seccomp profile, use either one",
    );
  }
  return profile;
}

function checkRule(rule: unknown, index: number): void {
  const fail = (what: string): never => {
    throw new EngineError(
      'invalid',
      `Decoding seccomp profile failed: syscalls[${String(index)}]${what}`,
    );
  };
  if (typeof rule !== 'object' || rule === null) return fail(' is not an object');
  const { action, names, name, args } = rule as Record<string, unknown>;
  if (typeof action !== 'string') return fail('.action is missing');
  const list = names ?? (name === undefined ? [] : [name]);
  if (!Array.isArray(list) || list.some((item) => typeof item !== 'string'))
    fail('.names is not a list of names');
  if (args !== undefined && args !== null && !Array.isArray(args)) fail('.args is not a list');
}

/** Compares `major.minor`. */
export function kernelAtLeast(kernel: string, wanted: string): boolean {
  const [major = 0, minor = 0] = kernel.split(/[.-]/).map(Number);
  const [needMajor = 0, needMinor = 0] = wanted.split('.').map(Number);
  return major > needMajor || (major === needMajor && minor >= needMinor);
}
