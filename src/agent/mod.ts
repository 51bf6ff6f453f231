/** Small user agents that register, call and are called: for the demo, and for tests of the server. */
export { Exchange } from "./exchange.ts";
export { type Patience, patientFor } from "./inbox.ts";
export { Incoming, IncomingCall } from "./incoming.ts";
export { OutgoingCall, type RegisterWith, UserAgent, type UserAgentParts } from "./user_agent.ts";
