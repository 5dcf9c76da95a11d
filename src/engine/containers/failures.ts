/** Words a failed start as Docker does, because clients look for those words to choose their exit status. Pure. */

import { EngineError, kindOf, messageOf } from '../../lib/errors.ts';
import type { ErrorKind } from '../../lib/errors.ts';

/** A start or exec that failed, and the exit code that stands for it: 127 not found, 126 not executable, 128 else. */
class StartFailure extends EngineError {
  readonly exitCode: number;

  constructor(kind: ErrorKind, message: string, facts: { exitCode: number; cause: unknown }) {
    super(kind, message, { cause: facts.cause });
    this.exitCode = facts.exitCode;
  }
}

/** What the networks refuse keeps its words and its kind: clients know both. */
export function networkFailure(error: unknown): StartFailure {
  return new StartFailure(kindOf(error), messageOf(error), { exitCode: 128, cause: error });
}

const PREFIX =
  'failed to create task for container: failed to create shim task: OCI runtime create failed: unable to start container process';
const EXEC_PREFIX = 'OCI runtime exec failed: exec failed: unable to start container process';

export function startFailure(
  error: unknown,
  path: string,
  options: { exec?: boolean } = {},
): StartFailure {
  if (error instanceof StartFailure) return error;
  const prefix = options.exec === true ? EXEC_PREFIX : PREFIX;
  const isCommand = error instanceof EngineError && isAbout(error, path);
  if (isCommand && (error.errno === 'ENOENT' || error.kind === 'not-found')) {
    const why = path.includes('/')
      ? 'no such file or directory'
      : 'executable file not found in $PATH';
    return failure(`${prefix}: exec: ${JSON.stringify(path)}: ${why}`, 127, error);
  }
  if (
    isCommand &&
    (error.errno === 'EACCES' || error.errno === 'EISDIR' || error.errno === 'EPERM')
  ) {
    return failure(`${prefix}: exec: ${JSON.stringify(path)}: permission denied`, 126, error);
  }
  if (isCommand && error.errno === 'ENOEXEC') {
    return failure(`${prefix}: exec ${path}: exec format error`, 126, error);
  }
  const kind = kindOf(error);
  const message = messageOf(error);
  if (kind === 'internal')
    return new StartFailure('internal', `${prefix}: ${message}`, { exitCode: 128, cause: error });
  return failure(
    options.exec === true ? `${prefix}: ${message}` : message,
    options.exec === true ? 126 : 128,
    error,
  );
}

function failure(message: string, exitCode: number, cause: unknown): StartFailure {
  return new StartFailure('invalid', message, { exitCode, cause });
}

/** The helper names the file that could not be executed; other paths are mounts and devices. */
function isAbout(error: EngineError, path: string): boolean {
  const base = path.split('/').at(-1) ?? path;
  return (
    error.path === path || error.path?.split('/').at(-1) === base || /\bexec\b/.test(error.message)
  );
}
