import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { renderOpenApi } from '../../../src/api/openapi.ts';
import { routes } from '../../../src/api/routes/index.ts';

interface Operation {
  readonly operationId: string;
  readonly parameters: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly schema: Json } } };
}
type Json = { readonly [key: string]: unknown };

describe('the OpenAPI document', () => {
  const document = JSON.parse(renderOpenApi()) as { readonly paths: Record<string, Record<string, Operation>> };
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.values(methods).map((operation) => ({ path, operation })),
  );

  it('has every route, once', () => {
    const distinct = new Set(routes.map(({ method, path }) => `${method} ${path}`));
    assert.equal(operations.length, distinct.size);
    assert.equal(new Set(operations.map(({ operation }) => operation.operationId)).size, operations.length);
  });

  it('declares the parameters of each path', () => {
    for (const { path, operation } of operations) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const declared = operation.parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name);
      assert.deepEqual(declared, named, path);
    }
  });

  it('shows what a body looks like, actions one by one', () => {
    const schemaOf = (path: string) =>
      document.paths[path]?.post?.requestBody?.content['application/json'].schema as Json;
    assert.deepEqual(schemaOf('/v3/{project_id}/volumes').required, ['volume']);
    const actions = schemaOf('/v3/{project_id}/volumes/{id}/action').oneOf as readonly { readonly title: string }[];
    assert.ok(actions.some(({ title }) => title === 'os-extend'));
    assert.ok(actions.some(({ title }) => title === 'os-attach'));
  });
});
