import type { Received } from "../../src/proxy/mod.ts";
import { RequestDraft, SipRequest } from "../../src/sip/mod.ts";
import type { Flow, Transport } from "../../src/transport/mod.ts";
import { PEER, RecordingTransport } from "./flows.ts";
import { asRequest } from "./messages.ts";

/** A request as a module sees it, and what would leave by a listener after the module has seen it. */
export class Seen implements Received {
  readonly request: SipRequest;
  readonly flow: Flow;
  readonly draft: RequestDraft;
  readonly #edits: ((draft: RequestDraft, out: Transport) => void)[] = [];

  constructor(request: SipRequest, transport: Transport = new RecordingTransport()) {
    this.request = request;
    this.flow = transport.connect(PEER) as Flow;
    this.draft = new RequestDraft(request);
  }

  onForward(edit: (draft: RequestDraft, out: Transport) => void): void {
    this.#edits.push(edit);
  }

  /** What leaves by `out`. */
  leaving(out: Transport): SipRequest {
    const draft = this.draft.fork();
    for (const edit of this.#edits) edit(draft, out);
    return asRequest(draft.toString());
  }
}
