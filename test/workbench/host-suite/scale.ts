/**
 * How long the extension host stands still while the trees hold very much. The test outside opens a gate when a stretch
 * of work has ended (support/gates.ts); here only time is taken.
 */
import assert from 'node:assert/strict';
import { get } from 'node:http';
import * as vscode from 'vscode';
import type { Suite } from './index.ts';
import { FIGURE, GATES_VARIABLE, STRETCHES } from './names.ts';

/** Milliseconds between two looks at the clock. */
const BEAT = 4;

interface Pause {
  /** Longest time between two turns of the loop, milliseconds. */
  wall: number;
  /** Longest time that the thread itself computed between two turns: what a busy machine takes away is not in it. */
  own: number;
}

class Beats {
  private worst: Pause = { wall: 0, own: 0 };
  private readonly timer: NodeJS.Timeout;
  private at = performance.now();
  private used = process.threadCpuUsage();

  constructor() {
    this.timer = setInterval(() => this.beat(), BEAT);
  }

  /** The worst since the last time. */
  take(): Pause {
    const { worst } = this;
    this.worst = { wall: 0, own: 0 };
    return worst;
  }

  end(): void {
    clearInterval(this.timer);
  }

  private beat(): void {
    const now = performance.now();
    const { user, system } = process.threadCpuUsage(this.used);
    this.worst.wall = Math.max(this.worst.wall, now - this.at - BEAT);
    this.worst.own = Math.max(this.worst.own, (user + system) / 1000);
    this.at = now;
    this.used = process.threadCpuUsage();
  }
}

function told(name: string): Promise<void> {
  const socketPath = process.env[GATES_VARIABLE];
  assert.ok(socketPath, `${GATES_VARIABLE} names no socket`);
  return new Promise((resolve, reject) => {
    get({ socketPath, path: `/${name}` }, (answer) => {
      answer.resume();
      answer.once('end', resolve);
    }).once('error', reject);
  });
}

export function scale({ test }: Suite): void {
  test('time is taken while the trees hold very much', async () => {
    await vscode.extensions.getExtension('pinnace.pinnace')?.activate();
    const beats = new Beats();
    await vscode.commands.executeCommand('pinnace.containers.focus');
    for (const name of STRETCHES) {
      await told(name);
      console.log(`${FIGURE}${JSON.stringify({ name, ...beats.take() })}`);
    }
    beats.end();
  });
}
