/** Starts the bridge of a container as a process of its own, or finds the one that runs. */
import { spawn } from 'node:child_process';
import { EngineError } from '../../lib/errors.ts';
import { type BridgeState, endBridge, runningBridge, TOKEN_VARIABLE } from './bridge.ts';

export interface BridgeSetup {
  /** The `pinnace` program (out/cli.js) and the Node that runs it. */
  readonly program: string;
  readonly node: string;
  readonly env: NodeJS.ProcessEnv;
  readonly runRoot: string;
  /** Of another engine than the bundled one. */
  readonly host?: string;
}

const READY_MS = 20_000;

/** Throws `unavailable` with what the process said. */
export async function startBridge(
  setup: BridgeSetup,
  container: string,
  server: { readonly port: number; readonly token: string },
): Promise<BridgeState> {
  const running = runningBridge(setup.runRoot, container, server.port);
  if (running !== undefined) return running;
  endBridge(setup.runRoot, container);
  const host = setup.host === undefined ? [] : ['--host', setup.host];
  const child = spawn(
    setup.node,
    [
      '--disable-warning=ExperimentalWarning',
      setup.program,
      ...host,
      'bridge',
      container,
      '--port',
      String(server.port),
    ],
    {
      cwd: '/',
      detached: true,
      env: { ...setup.env, ELECTRON_RUN_AS_NODE: '1', [TOKEN_VARIABLE]: server.token },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const said: string[] = [];
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk.toString()));
  const { promise, resolve, reject } = Promise.withResolvers<BridgeState>();
  let line = '';
  child.stdout.on('data', (chunk: Buffer) => {
    line += chunk.toString();
    if (line.includes('\n')) resolve(JSON.parse(line.slice(0, line.indexOf('\n'))) as BridgeState);
  });
  const failed = (why: string): EngineError =>
    new EngineError(
      'unavailable',
      `the bridge to container ${container.slice(0, 12)} did not start: ${said.join('').trim() || why}`,
    );
  child.once('error', (error) => reject(failed(error.message)));
  child.once('exit', (code) => reject(failed(`status ${String(code)}`)));
  const timer = setTimeout(() => {
    child.kill('SIGTERM');
    reject(failed(`no answer within ${READY_MS / 1000} s`));
  }, READY_MS);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    child.stdout.destroy();
    child.stderr.destroy();
    child.unref();
    child.removeAllListeners('exit');
  }
}
