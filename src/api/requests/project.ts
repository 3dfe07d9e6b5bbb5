import type { RequestContext } from '../../model/context.ts';
import { failure } from '../../model/errors.ts';

/** The project that a request acts in; what it makes belongs to it. */
export function projectOf(context: RequestContext): string {
  if (context.projectId !== null) return context.projectId;
  throw failure('InvalidInput', { reason: 'the token is for no project. Name one in the URL: /v3/<project>/….' });
}
