/** POST …/action: one route that looks up the action its body names. */
import { z } from 'zod';
import { failure } from '../model/errors.ts';
import { describeFaults } from './errors.ts';
import { type Action, defineRoute, type Route } from './route.ts';

/** Makes the route of a resource's actions. `path` is for example `/volumes/:id/action`. */
export function actionRoute(path: string, summary: string, actions: readonly Action[]): Route {
  const byName = new Map(actions.map((action) => [action.name, action]));
  return defineRoute({
    method: 'POST',
    path,
    summary,
    actions,
    body: z.record(z.string(), z.unknown()),
    async handle(request) {
      const names = Object.keys(request.body);
      const action = names.length === 1 ? byName.get(names[0]!) : undefined;
      if (action === undefined) throw failure('InvalidInput', { reason: describeUnknown(names, actions) });
      if (request.version < (action.since ?? 0)) {
        throw failure('NotFound', { reason: `${action.name} needs microversion 3.${action.since} or later.` });
      }
      if (action.admin === true && !request.context.isAdmin) throw failure('AdminRequired', { action: action.name });
      const body = action.body.safeParse(request.body[action.name]);
      if (!body.success) throw failure('InvalidInput', { reason: `${action.name}: ${describeFaults(body.error)}` });
      return action.handle({ ...request, body: body.data });
    },
  });
}

function describeUnknown(names: readonly string[], actions: readonly Action[]): string {
  const known = `Known actions are ${actions.map((action) => action.name).join(', ')}.`;
  if (names.length === 1) return `There is no such action: ${names[0]}. ${known}`;
  return `The body must name one action, and names ${names.length}. ${known}`;
}
