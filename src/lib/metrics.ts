/**
 * Plain counters, bumped in place and read by whoever shows them. Each says what it counts; their names in
 * an exposition are `sluice_` and the name in snake case.
 */
export class Metrics {
  /** Requests that were understood, retransmissions included. */
  requestsReceived = 0;
  /** Responses that were understood. */
  responsesReceived = 0;
  /** Packets that carry only CR, LF or NUL: keep-alives that want no answer. */
  keepAlivesReceived = 0;
  /** Keep-alives on connections that were answered (RFC 5626 §4.4.1). */
  keepAlivesAnswered = 0;
  /** STUN requests that were answered, errors included. */
  stunAnswered = 0;
  /** STUN packets that were not: no request, damaged, or of before RFC 5389. */
  stunDropped = 0;
  /** Packets that are not SIP at all. */
  notSip = 0;
  /** Requests answered with 400 or 505 before anybody looked at what they want. */
  malformedRequests = 0;
  /** Messages that were malformed and could not or need not be answered. */
  malformedDropped = 0;
  /** Copies of requests that a transaction absorbed. */
  retransmissionsAbsorbed = 0;
  /** Responses that match no transaction of ours (RFC 6026 §8.2). */
  strayResponses = 0;
  /** Messages of ours that were sent again. */
  retransmissionsSent = 0;
  /** Messages handed to a socket. */
  messagesSent = 0;
  /** Messages a socket would not take. */
  sendsFailed = 0;
  /** Connections that came about, accepted or opened. */
  connectionsOpened = 0;
  /** Connections turned away because there are too many, in all or from one address. */
  connectionsShed = 0;
  /** Connections closed because nothing came by them. */
  connectionsSilent = 0;
  /** Connections closed because a message took too long to arrive. */
  connectionsSlow = 0;
  /** Connections closed because nothing was heard for too long. */
  connectionsIdle = 0;
  /** Connections closed because the peer did not read what it was sent. */
  connectionsFull = 0;
  /** Connections closed because what came could not be followed. */
  connectionsBroken = 0;
  /** Connections we could not open. */
  connectsFailed = 0;
  /** Handshakes of TLS or WebSocket that failed or took too long. */
  handshakesFailed = 0;
  /** Listeners that had stopped accepting, and were opened anew. */
  listenersRevived = 0;
  /** Questions sent to name servers, repeats included. */
  dnsQueries = 0;
  /** Questions a name server did not answer in time. */
  dnsTimeouts = 0;
  /** Questions not asked because there were too many under way. */
  dnsShed = 0;
  /** Requests answered 503 because there were too many transactions. */
  transactionsShed = 0;
  /** Targets left out because a request would have forked too widely. */
  targetsShed = 0;
  /** Registrations refused because the store is full. */
  bindingsShed = 0;
  /** Bindings taken away because nobody is there any more. */
  bindingsDropped = 0;
  /** Requests of ours that nobody answered in time. */
  timeouts = 0;
  /** Requests that came by here before (RFC 5393). */
  loops = 0;
  /** Requests with a flow token in their Route that is none of ours. */
  tokensForged = 0;
  /** Requests to relay elsewhere that were refused. */
  relaysRefused = 0;
  /** Registrations accepted. */
  registrationsAccepted = 0;
  /** Registrations rejected, for whatever reason. */
  registrationsRejected = 0;
  /** Errors of our own that a request ran into. */
  internalErrors = 0;

  /** Those that are not zero, by name. */
  snapshot(): Record<string, number> {
    return Object.fromEntries(Object.entries(this).filter(([, value]) => value !== 0));
  }
}
