// Runs a task of the project (`npm start`, `npm test`, …) on any Node ≥ 18: installs what is missing
// (node modules, Node 24 among them), then hands over to scripts/tasks/TASK.ts on Node 24.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [task = 'help', ...args] = process.argv.slice(2);

function run(command, commandArgs) {
  const result = spawnSync(command, commandArgs, { cwd: root, stdio: 'inherit' });
  if (result.error) throw result.error;
  if (result.signal) process.kill(process.pid, result.signal);
  return result.status ?? 1;
}

function installModules() {
  const stamp = join(root, 'node_modules', '.pinnace-lock');
  const wanted = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  const fresh = !existsSync(dirname(stamp));
  const verb = fresh ? ['ci'] : ['install', '--no-save'];
  console.log(`setup: installing the node modules (npm ${verb.join(' ')}), Node 24 among them`);
  const status = run('npm', [...verb, '--no-audit', '--no-fund', '--loglevel=error']);
  if (status !== 0) {
    console.error('setup: npm failed; the npm registry must be reachable once');
    process.exit(status);
  }
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, wanted);
}

installModules();
const bin = join(root, 'node_modules', '.bin');
process.env.PATH = `${bin}:${process.env.PATH ?? ''}`;
const script = join(root, 'scripts', 'tasks', `${task}.ts`);
if (!existsSync(script)) {
  console.error(
    `no task '${task}': there is build, check, test, test-workbench, test-electron, workbench, start, images, bench, package`,
  );
  process.exit(2);
}
const plain = join(root, 'scripts', 'lib', 'plain-errors.mjs');
const flags = ['--disable-warning=ExperimentalWarning', '--import', plain];
process.exit(run(join(bin, 'node'), [...flags, script, ...args]));
