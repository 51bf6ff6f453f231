import type { Logger } from "../lib/log.ts";
import type { Metrics } from "../lib/metrics.ts";
import type { Arrival } from "./arrival.ts";
import { FlowError, socketAddressText, type Transport } from "./flow.ts";
import { BatchSocket } from "./batch_socket.ts";
import { Libc } from "./libc.ts";
import {
  type ConnectionSettings,
  type ConnectionsParts,
  type ListenerOptions,
  openConnections,
} from "./open_connections.ts";
import type { UdpSocketOptions } from "./udp_options.ts";
import { UdpReactor } from "./udp_reactor.ts";
import { FlowIds } from "./udp_flow.ts";
import { PortableSocket } from "./udp_portable.ts";

/** How the sockets of all listeners are made. */
export interface OpenOptions {
  readonly listen: readonly ListenerOptions[];
  /** How UDP is read and written: by the C library where that can be had, or by the runtime alone. */
  readonly udpIo: "auto" | "batch" | "portable";
  readonly udp: UdpSocketOptions;
  /** Required where there is a listener that is not for UDP. */
  readonly connections?: ConnectionSettings;
}

/** What sockets need. */
export interface OpenParts {
  readonly arrival: Arrival;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Told of each listener as soon as it is open, before anything can arrive by it. */
  readonly onOpen: (transport: Transport) => void;
  /** Called before messages are taken, so that time can catch up after a pause. */
  readonly onTurn?: () => void;
  /** Required where there is a listener that is not for UDP. */
  readonly connections?: ConnectionsParts;
}

/**
 * Opens every listener; a wildcard address becomes a listener on each address the machine has, so that each
 * knows by which address its peers see it. Throws FlowError if one cannot be opened; those opened before stay.
 */
export function openListeners(parts: OpenParts, options: OpenOptions): void {
  const { arrival, metrics, log, onOpen, onTurn = () => {} } = parts;
  const onError = (error: unknown) => {
    metrics.internalErrors++;
    log.error("handling failed", { error });
  };
  const flowIds = new FlowIds();
  const socketParts = { arrival, metrics, onError, onTurn, flowIds };
  const isUdp = options.listen.some(({ protocol }) => protocol === "udp");
  const libc = !isUdp || options.udpIo === "portable" ? undefined : openLibc(log, options.udpIo === "batch");
  const reactor = libc === undefined ? undefined : new UdpReactor({ ...socketParts, libc });
  const openUdp = (listener: ListenerOptions) => {
    const socket = reactor?.listen(listener, options.udp) ??
      new PortableSocket(socketParts, listener, options.udp.maxFlows);
    const { receiveBuffer } = socket;
    if (receiveBuffer !== undefined && receiveBuffer < options.udp.receiveBuffer) {
      log.warn("receive buffer smaller than asked for", { asked: options.udp.receiveBuffer, receiveBuffer });
    }
    return socket;
  };
  try {
    for (const listener of options.listen.flatMap(expandWildcard)) {
      const { protocol, name } = listener;
      const transport = protocol === "udp" ? openUdp(listener) : openConnections(
        { arrival, metrics, log, onError, flowIds },
        parts.connections!,
        listener,
        options.connections!,
      );
      onOpen(transport);
      log.info("listening", {
        at: `${protocol}:${socketAddressText(transport.local)}`,
        ...(name === undefined ? {} : { name }),
        ...(protocol === "udp" ? { io: reactor === undefined ? "portable" : "batch" } : {}),
        ...(transport instanceof BatchSocket ? { receiveBuffer: transport.receiveBuffer } : {}),
      });
    }
  } catch (error) {
    reactor?.abandon();
    throw error;
  }
}

function openLibc(log: Logger, isRequired: boolean): Libc | undefined {
  try {
    return Libc.open();
  } catch (error) {
    if (isRequired) {
      throw new FlowError(`Cannot read UDP by the batch: ${(error as Error).message}`, { cause: error });
    }
    log.warn("udp falls back to the portable socket", { reason: (error as Error).message });
    return undefined;
  }
}

function expandWildcard(listener: ListenerOptions): ListenerOptions[] {
  const { address } = listener;
  if (address !== "0.0.0.0" && address !== "::") return [listener];
  const family = address === "::" ? "IPv6" : "IPv4";
  const listeners = Deno.networkInterfaces()
    // A link-local address means nothing without its interface.
    .filter((face) => face.family === family && !face.address.startsWith("fe80"))
    .map((face) => ({ ...listener, address: face.address }));
  if (listeners.length > 0) return listeners;
  const place = socketAddressText(listener);
  throw new FlowError(
    `Cannot listen on ${listener.protocol}:${place}: this machine has no ${family} address`,
  );
}
