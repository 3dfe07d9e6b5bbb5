/** The state reports of every process: of this one, and of those in which the listed services run. */

import type { RequestContext } from '../../model/context.ts';
import { messageOf } from '../../model/errors.ts';
import type { Service } from '../../model/service.ts';
import { inquiryServer } from '../../rpcapi/inquiry.ts';
import { localActivity } from '../../service/inquiries.ts';
import { collectStateReport, type StateReport } from '../../service/report.ts';
import { renderStateReport } from '../../service/report-text.ts';
import type { ApiServices } from '../route.ts';

export interface CollectedReports {
  readonly reports: readonly unknown[];
  /** Services that did not answer, and why. */
  readonly silent: Readonly<Record<string, string>>;
  readonly text: string;
}

const ANSWER_LIMIT_MS = 2000;

export async function collectReports(services: ApiServices, context: RequestContext): Promise<CollectedReports> {
  const own = await collectStateReport();
  const reports: unknown[] = [own];
  const texts = [renderStateReport(own)];
  const silent: Record<string, string> = {};
  const rows = await services.store.services.list({}).catch((error: unknown): Service[] => {
    silent.database = messageOf(error);
    return [];
  });
  const others = rows.filter(({ binary, host }) => localActivity(inquiryServer(binary, host), []) === null);
  const seen = new Set<string>([own.instance]);
  await Promise.all(
    others.map(async ({ binary, host }) => {
      const server = inquiryServer(binary, host);
      try {
        const report = await services.inquiry.stateReport(context, server, { timeoutMs: ANSWER_LIMIT_MS });
        // Several services may be of one process.
        const instance = String(report.instance);
        if (seen.has(instance)) return;
        seen.add(instance);
        reports.push(report);
        texts.push(textOf(report));
      } catch (error) {
        silent[server] = messageOf(error);
      }
    }),
  );
  const silence = Object.entries(silent).map(([name, reason]) => `No report of ${name}: ${reason}`);
  return { reports, silent, text: [...texts, ...silence, ''].join('\n') };
}

/** Another version may leave something out that we expect. */
function textOf(report: Readonly<Record<string, unknown>>): string {
  try {
    return renderStateReport(report as unknown as StateReport);
  } catch {
    return JSON.stringify(report, null, 1);
  }
}
