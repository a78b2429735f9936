/** The commands that look at a running stack, local and in the cloud alike. */
export { logs } from "./logs";
export { ssh } from "./ssh";
export { status } from "./status";
