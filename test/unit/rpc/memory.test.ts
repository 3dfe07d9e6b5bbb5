import { createMemoryTransport } from '../../../src/rpc/memory.ts';
import { transportSuite } from '../../suites/transport.ts';

transportSuite('memory', async () => createMemoryTransport());
