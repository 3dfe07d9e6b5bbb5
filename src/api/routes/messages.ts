/** Messages (3.3): what failed and why. They are read from the record of operations, so nobody writes or deletes them. */
import { failure } from '../../model/errors.ts';
import { fault } from '../errors.ts';
import { listQuery, nextLinks, pageOf, readFilters, readPage, readSort } from '../list-query.ts';
import { visibleProject } from '../requests/find.ts';
import { defineRoute, type Route } from '../route.ts';
import { type Message, messageOfOperation, messageView } from '../views/message.ts';

const MESSAGES = 3;
const PAGINATION = 5;
const STRICT_FILTERS = 31;
const filterNames = ['resource_uuid', 'resource_type', 'event_id', 'request_id', 'message_level'] as const;
const sortKeys = {
  id: 'id',
  event_id: 'event_id',
  request_id: 'request_id',
  resource_type: 'resource_type',
  resource_uuid: 'resource_uuid',
} as const;

const list = defineRoute({
  method: 'GET',
  path: '/messages',
  since: MESSAGES,
  summary: 'List messages, the newest first',
  query: listQuery,
  async handle({ services, context, version, baseUrl, query: sent }) {
    const query = version >= PAGINATION ? sent : {};
    const { osapi_max_limit: maxLimit } = services.options;
    const filters = readFilters(query, filterNames, version >= STRICT_FILTERS && !context.isAdmin);
    const page = readPage(query, maxLimit);
    const failed = await services.store.operations.listFailed(visibleProject(context), { limit: maxLimit });
    const asked = failed.map(messageOfOperation).filter((message) => fits(message, filters));
    const messages = pageOf(asked.toSorted(order(readSort(query, sortKeys))), page);
    const links = nextLinks(`${baseUrl}/messages`, query, messages, page);
    return {
      status: 200,
      body: {
        messages: messages.map((message) => messageView(message, baseUrl)),
        ...(links === undefined ? {} : { messages_links: links }),
      },
    };
  },
});

const show = defineRoute({
  method: 'GET',
  path: '/messages/:id',
  since: MESSAGES,
  summary: 'Show a message',
  async handle({ services, context, params, baseUrl }) {
    const id = params.id!;
    const operation = await services.store.operations.get(id);
    const project = visibleProject(context);
    const isVisible = operation?.state === 'failed' && (project === null || operation.projectId === project);
    if (operation === null || !isVisible) throw failure('MessageNotFound', { id });
    return { status: 200, body: { message: messageView(messageOfOperation(operation), baseUrl) } };
  },
});

const remove = defineRoute({
  method: 'DELETE',
  path: '/messages/:id',
  since: MESSAGES,
  summary: 'Refused: messages go by themselves',
  async handle() {
    return fault(405, 'Messages come from the record of operations and go with it. They cannot be deleted.');
  },
});

export const messageRoutes: readonly Route[] = [list, show, remove];

function fits(message: Message, filters: Partial<Record<string, string>>): boolean {
  return filterNames.every((name) => filters[name] === undefined || filters[name] === message[name]);
}

function order(keys: readonly { readonly key: keyof Message | 'createdAt'; readonly dir: 'asc' | 'desc' }[]) {
  return (a: Message, b: Message): number => {
    for (const { key, dir } of keys) {
      const name = key === 'createdAt' ? 'created_at' : key;
      const compared = a[name] < b[name] ? -1 : a[name] > b[name] ? 1 : 0;
      if (compared !== 0) return dir === 'asc' ? compared : -compared;
    }
    return 0;
  };
}
