/** PUT /os-services/set-log and get-log: the log levels of running processes, this one and those of other services. */
import { messageOf } from '../../model/errors.ts';
import type { Service } from '../../model/service.ts';
import { isServiceUp } from '../../model/service.ts';
import { inquiryServer } from '../../rpcapi/inquiry.ts';
import { SCHEDULER_TOPIC, VOLUME_TOPIC } from '../../rpcapi/requests.ts';
import { levelFromWire, levelToWire, loggerOf } from '../../service/log-levels.ts';
import { changeLogLevel } from '../../service/report.ts';
import type { ApiRequest } from '../route.ts';

export const API_BINARY = 'cinder-api';
/** What a request may name; empty and `*` mean all. */
export const logBinaries = ['', '*', API_BINARY, VOLUME_TOPIC, SCHEDULER_TOPIC] as const;

export interface LogRequest {
  readonly binary: string | null;
  /** A host; empty means all. */
  readonly server: string | null;
  readonly prefix: string | null;
  readonly level?: unknown;
}

export interface LogLevels {
  readonly binary: string;
  readonly host: string;
  readonly levels: Readonly<Record<string, string>>;
}

const ANSWER_LIMIT_MS = 5000;

/** Sets the level of every process that is asked for and up. Throws InvalidInput for a word that is no level. */
export async function setLogLevels(request: ApiRequest, asked: LogRequest): Promise<void> {
  const level = levelFromWire(asked.level);
  if (loggerOf(asked.prefix) === null) return;
  if (isAsked(asked, API_BINARY)) changeLogLevel(level);
  await eachService(request, asked, async (server) => {
    await request.services.inquiry.logLevel(request.context, server, level, { timeoutMs: ANSWER_LIMIT_MS });
  });
}

/** Those that do not answer are left out, which the log says. */
export async function getLogLevels(request: ApiRequest, asked: LogRequest): Promise<readonly LogLevels[]> {
  const name = loggerOf(asked.prefix);
  const named = (level: string) => (name === null ? {} : { [name]: levelToWire(level) });
  const found: LogLevels[] = [];
  if (isAsked(asked, API_BINARY)) {
    found.push({ binary: API_BINARY, host: asked.server ?? '', levels: named(changeLogLevel(null)) });
  }
  await eachService(request, asked, async (server, { binary, host }) => {
    const options = { timeoutMs: ANSWER_LIMIT_MS };
    const level = await request.services.inquiry.logLevel(request.context, server, null, options);
    found.push({ binary, host, levels: named(level) });
  });
  return found;
}

async function eachService(
  { services }: ApiRequest,
  asked: LogRequest,
  work: (server: string, service: Service) => Promise<void>,
): Promise<void> {
  const { service_down_time } = services.options;
  const rows = await services.store.services.list({});
  const wanted = rows.filter(
    (row) =>
      isAsked(asked, row.binary) &&
      isServiceUp(row, service_down_time) &&
      (asked.server === null || asked.server === '' || row.host === asked.server),
  );
  await Promise.all(
    wanted.map(async (row) => {
      try {
        await work(inquiryServer(row.binary, row.host), row);
      } catch (error) {
        const fields = { binary: row.binary, host: row.host, reason: messageOf(error) };
        services.log.warn(fields, 'a service did not answer about its log level');
      }
    }),
  );
}

function isAsked({ binary }: LogRequest, of: string): boolean {
  return binary === null || binary === '' || binary === '*' || binary === of;
}
