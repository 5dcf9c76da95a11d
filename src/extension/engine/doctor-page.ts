/** The doctor's page: asks the bundle's command line what this machine allows and shows it in a webview; offers texts to copy, runs none of them. */
import * as vscode from 'vscode';
import { messageOf } from '../../lib/errors.ts';
import type { Parts } from '../parts.ts';
import { say } from '../words/say.ts';
import { createPanels, type Panels } from '../webviews/panels.ts';
import { complaintOf } from './cli.ts';
import { type DoctorReport, readReport } from './doctor-report.ts';

export const DOCTOR_VIEW = 'pinnace.doctorPage';

/** What media/webview/doctor/main.js is told. */
type ToView =
  | { readonly type: 'busy' }
  | { readonly type: 'report'; readonly report: DoctorReport; readonly running: boolean };

/** There is one doctor. */
export function createDoctorPage(parts: Parts): Panels<undefined> {
  return createPanels<undefined>(parts.context.extensionUri, {
    view: DOCTOR_VIEW,
    folder: 'doctor',
    key: () => DOCTOR_VIEW,
    title: () => vscode.l10n.t('Pinnace Doctor'),
    state: () => ({}),
    fill: ({ webview }) => fill(parts, webview),
  });
}

function fill(parts: Parts, webview: vscode.Webview): void {
  const send = (message: ToView): void => void webview.postMessage(message);
  const examine = async (): Promise<void> => {
    send({ type: 'busy' });
    const report = inLanguage(await ask(parts));
    const bundled = parts.engines.all.find(({ entry }) => entry.id === 'pinnace');
    send({ type: 'report', report, running: bundled?.state.kind === 'ready' });
  };
  webview.onDidReceiveMessage((message: unknown) => {
    if (typeof message !== 'object' || message === null || !('type' in message)) return;
    if (message.type === 'examine') void examine();
    if (message.type === 'copy' && 'text' in message && typeof message.text === 'string')
      void vscode.env.clipboard.writeText(message.text);
    if (message.type === 'start') void vscode.commands.executeCommand('pinnace.engine.start');
  });
}

/** The report that is copied stays English: it is for those who help. */
function inLanguage(report: DoctorReport): DoctorReport {
  return {
    ...report,
    modeText: say(report.modeText),
    findings: report.findings.map((finding) => ({ ...finding, message: say(finding.message) })),
  };
}

/** A doctor that cannot be run is a report too. */
async function ask({ desk, log }: Parts): Promise<DoctorReport> {
  try {
    const answer = await desk.cli.run(['doctor', '--json']);
    return readReport(answer.stdout) ?? failed(complaintOf(answer));
  } catch (error) {
    log.error(`doctor: ${messageOf(error)}`);
    return failed(messageOf(error));
  }
}

function failed(message: string): DoctorReport {
  return {
    mode: 'none',
    modeText: 'The machine could not be examined.',
    findings: [{ id: 'doctor', level: 'fail', message, remedy: null }],
    text: message,
  };
}
