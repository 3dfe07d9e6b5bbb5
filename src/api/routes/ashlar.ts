/** What Ashlar tells of itself, beside Block Storage v3: for administrators, at paths that Cinder does not have. */

import { collectReports } from '../requests/collect-reports.ts';
import { gatherEvidence } from '../requests/gather-evidence.ts';
import { defineRoute, type Route } from '../route.ts';
import { whyText, whyView } from '../views/why.ts';

const report = defineRoute({
  method: 'GET',
  path: '/ashlar/report',
  admin: true,
  summary: 'The state reports of all processes, as JSON and as text',
  async handle({ services, context }) {
    return { status: 200, body: { report: await collectReports(services, context) } };
  },
});

const why = defineRoute({
  method: 'GET',
  path: '/ashlar/why/:id',
  admin: true,
  summary:
    'Why a volume, snapshot or attachment (by id or name) is as it is: what it does or waits for, and its history',
  async handle({ services, context, params }) {
    const view = whyView(await gatherEvidence(services, context, params.id!));
    return { status: 200, body: { why: { ...view, text: whyText(view).join('\n') } } };
  },
});

export const ashlarRoutes: readonly Route[] = [report, why];
