/**
 * Authorization attempts, each one trace from metadata to token: what is told of them while they run, what
 * operators see of them, and what would have made them succeed. Told by provider/, read by admin/.
 */
export { hostOf, withoutQuery } from './clean.ts';
export { type Asked, differencesOf, type Expected } from './differences.ts';
export { findFlowOf } from './find-by-family.ts';
export { type Fix, type FixKind, fixesOf, questionOf } from './fixes.ts';
export { createFlows, type Flows } from './flows.ts';
export { type FlowQuery, findFlow, type ListedFlow, listFlowsPage } from './listing.ts';
export type { FlowsConfig, FlowsDeps } from './recorder.ts';
export {
  type Difference,
  type FlowHead,
  type FlowReport,
  type StepName,
  type StepReport,
  type StepState,
  stepNames,
  stepTitles,
} from './steps.ts';
export { funnelOf, type ShownStep, statusOf, stepsOf, stoppedAt } from './view.ts';
