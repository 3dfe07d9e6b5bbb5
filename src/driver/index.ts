/** '#driver': the whole surface that a driver or a target sees. */
export { type Option, type Options, option, type ValuesOf } from '../config/options.ts';
export { createLimiter, forEachBounded } from '../lib/bounded.ts';
export { failpoint } from '../lib/failpoint.ts';
export { removeFile, writeFileAtomically } from '../lib/files.ts';
export { atStep } from '../lib/flight.ts';
export type { Logger } from '../log/logger.ts';
export type { Capacity } from '../model/capacity.ts';
export type { Connector } from '../model/connector.ts';
export { AshlarError, type ErrorCode, failure, isFailure, messageOf } from '../model/errors.ts';
export { type ConfigFs, openConfigFs, type Step, takeSteps } from './configfs.ts';
export {
  type DriverContext,
  type DriverModule,
  type DriverObject,
  type DriverPoolStats,
  type DriverSnapshot,
  type DriverStats,
  type DriverVolume,
  defineDriver,
  type VolumeDriver,
} from './driver.ts';
export { type Command, CommandError, type CommandResult, type Executor } from './executor.ts';
export { checkedName, connectionInfo, renderLocation, renderPortal, serialOf } from './iscsi.ts';
export {
  type ChapCredentials,
  type ConnectionInfo,
  defineTarget,
  type ExportRecord,
  type ExportRequest,
  type Target,
  type TargetContext,
  type TargetModule,
} from './target.ts';
