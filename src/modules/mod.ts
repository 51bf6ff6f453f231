/** One extension or duty each: they read a request and edit its draft, and never send. */
export { Domains } from "./domains.ts";
export { FlowTokens, type Named } from "./flow_tokens.ts";
export { checkMaxForwards } from "./max_forwards.ts";
export { type Located, Registrar, type RegistrarOptions } from "./registrar.ts";
export { checkProxyRequire, checkRequire } from "./requirements.ts";
export { type Followed, RecordRoute } from "./rr.ts";
export { CAPABILITIES } from "./server_options.ts";
