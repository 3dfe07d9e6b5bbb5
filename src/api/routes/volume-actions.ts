/**
 * POST /volumes/{id}/action. An action's body is what stands under its name: of `{ "os-extend": { "new_size": 2 } }`,
 * `{ "new_size": 2 }`.
 */
import { actionRoute } from '../action-route.ts';
import type { Action } from '../route.ts';
import { attachActions } from './attach-actions.ts';
import { changeActions } from './change-actions.ts';

/** The roll-call of actions on a volume. */
export const volumeActions: readonly Action[] = [...changeActions, ...attachActions];

export const volumeActionRoutes = [actionRoute('/volumes/:id/action', 'Act on a volume', volumeActions)];
