/** STUN Binding as far as a SIP port needs it (RFC 8489, RFC 5626 §8): request bytes in, response bytes out. */
export { BindingResponder, type TransportAddress } from "./binding.ts";
export { isStun } from "./message.ts";
