/** One request id goes through REST, messages, every service's log, the commands and the database. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createLocalExecutor } from '../../../src/exec/executor.ts';
import { createMemoryTransport } from '../../../src/rpc/memory.ts';
import type { RpcMessage, Transport } from '../../../src/rpc/transport.ts';
import { openReportBed, type ReportBed } from '../../support/report-bed.ts';

const sent: RpcMessage[] = [];
let bed: ReportBed;
before(async () => {
  const memory = createMemoryTransport();
  const transport: Transport = {
    ...memory,
    cast: (target, message) => {
      sent.push(message);
      return memory.cast(target, message);
    },
  };
  bed = await openReportBed({ transport });
});
after(() => bed?.close());

test('a create is found by its request id everywhere', async () => {
  const executor = createLocalExecutor({ log: bed.log, privileged: 'root' });
  bed.instead('createVolume', async () => {
    await executor.run({ argv: ['true'], timeoutMs: 10_000 });
  });
  const { id, requestId } = await bed.createVolume('traced');
  await bed.settled(id);
  assert.match(requestId, /^req-[0-9a-f-]{36}$/);

  const linesWith = (records: ReportBed['log']['records']) =>
    records.filter((record) => JSON.stringify(record).includes(requestId)).map(({ message }) => message);
  assert.deepEqual(linesWith(bed.apiLog.records), ['request answered']);
  const lines = linesWith(bed.log.records);
  for (const message of ['placed', 'command ended', 'operation done']) {
    assert.ok(lines.includes(message), `${message} is not among ${lines.join(', ')}`);
  }
  const messages = sent.filter(({ context }) => context.requestId === requestId);
  const methods = messages.map(({ method }) => method);
  assert.deepEqual(methods, ['create_volume', 'create_volume'], 'to the scheduler, and on to the volume service');
  assert.ok(messages[0]!.context.roles.length > 0);
  assert.deepEqual(messages[1]!.context, messages[0]!.context, 'who asked goes along');
  const [operation] = await bed.store.operations.history(id, 10);
  assert.equal(operation?.requestId, requestId);
  assert.ok((await bed.why('traced')).includes(requestId));
});
