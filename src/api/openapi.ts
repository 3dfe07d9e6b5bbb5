import type { Route } from './route.ts';

export function openApiDocument(_routes: readonly Route[]): object {
  return {};
}
