import { z } from 'zod';
import { rpcFailure } from '../../../rpc/clients/client-error.js';
import { debugReportSchema, type DebugReport } from '../../../rpc/server/debug-report.js';
import type { Member } from '../../verdict/cluster-view.js';
import type { ClusterClient } from '../cluster/cluster-client.js';
import type { ArchiveFile } from './archive.js';

/** A report has a megabyte of log, and the member asks its node for versions and its cluster for the verdict. */
const REPORT_TIMEOUT_MS = 10_000;

const METHOD_NOT_FOUND = -32601;

/** The data from one member. */
export interface MemberFiles {
  id: string;
  files: ArchiveFile[];
  /** Why its log, metrics and settings are missing; undefined if they are there. */
  missing: string | undefined;
}

/** Asks one member for everything that it knows. A file says what it does not give. */
export async function memberFiles(cluster: ClusterClient, member: Member): Promise<MemberFiles> {
  const { id, status, silence } = member;
  const folder = `members/${fileName(id)}`;
  const files: ArchiveFile[] = [];
  const add = (name: string, text: string): void => void files.push({ name: `${folder}/${name}`, text });
  if (status) add('status.json', json(status));
  const missing = status ? await addReport() : silence;
  if (missing !== undefined) add('no-answer.txt', `${id} gave no log, metrics and settings: ${missing}\n`);
  return { id, files, missing };

  async function addReport(): Promise<string | undefined> {
    const [report, history] = await Promise.allSettled([
      cluster.read(member, 'conductor_debug', debugReportSchema, REPORT_TIMEOUT_MS),
      cluster.read(member, 'conductor_history', z.unknown(), REPORT_TIMEOUT_MS),
    ]);
    if (history.status === 'fulfilled') add('history.json', json(history.value));
    else if (!isUnknownMethod(history.reason)) add('history-no-answer.txt', `${why(history.reason)}\n`);
    if (report.status === 'rejected') return why(report.reason);
    for (const [name, text] of Object.entries(reportFiles(report.value))) add(name, text);
    return undefined;
  }
}

function reportFiles({ versions, config, metrics, log }: DebugReport): Record<string, string> {
  const dropped = log.dropped > 0 ? `${JSON.stringify({ droppedLines: log.dropped })}\n` : '';
  return {
    'versions.json': json(versions),
    'config.json': json(config),
    'metrics.txt': metrics,
    'log.jsonl': `${dropped}${log.lines.map((line) => `${line}\n`).join('')}`,
  };
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

function isUnknownMethod(error: unknown): boolean {
  return rpcFailure(error)?.rpcCode === METHOD_NOT_FOUND;
}

function why(error: unknown): string {
  if (isUnknownMethod(error)) return 'its version has no conductor_debug';
  return (error as Error).message;
}

/** An id is any text. */
function fileName(id: string): string {
  return encodeURIComponent(id).replace(/^\.+/, (dots) => '%2E'.repeat(dots.length));
}
