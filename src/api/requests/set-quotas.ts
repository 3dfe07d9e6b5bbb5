/** PUT /os-quota-sets/{project}. */
import { failure } from '../../model/errors.ts';
import { type QuotaLimits, readFiguresByType, readLimits } from '../quota-figures.ts';
import type { ApiServices } from '../route.ts';

/** Answers all limits of the project. InvalidInput for an unknown resource, and for a limit below what is in use. */
export async function setQuotas(
  { store, options }: ApiServices,
  projectId: string,
  limits: QuotaLimits,
): Promise<QuotaLimits> {
  return store.transaction(async (tx) => {
    await tx.quotas.lockProject(projectId);
    const figures = await readFiguresByType(tx, options, projectId);
    for (const [name, limit] of Object.entries(limits)) {
      const figure = figures[name];
      if (figure === undefined) throw failure('InvalidInput', { reason: `there is no quota of ${name}.` });
      if (limit !== -1 && limit < figure.inUse) {
        const reason = `${figure.inUse} of ${name} are in use, so the limit cannot be ${limit}. Delete some first.`;
        throw failure('InvalidInput', { reason });
      }
    }
    await tx.quotas.setLimits(projectId, limits);
    return readLimits(tx, options, projectId);
  });
}
