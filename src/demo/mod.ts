/** The demo: a server and two phones in one process, and a drawing of what went over the wire. */
export { runDemo } from "./demo.ts";
export { type Arrow, drawLadder } from "./ladder.ts";
