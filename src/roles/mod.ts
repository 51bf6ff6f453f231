/** The routing scripts: the order of steps, and who may do what. */
export { type CombinedParts, combinedRoute } from "./combined.ts";
