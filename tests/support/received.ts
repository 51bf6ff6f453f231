import type { Received } from "../../src/proxy/mod.ts";
import { RequestDraft, SipRequest } from "../../src/sip/mod.ts";
import type { Flow } from "../../src/transport/mod.ts";
import { PEER, RecordingTransport } from "./flows.ts";
import { asRequest } from "./messages.ts";

/** A request as a module sees it, and what would leave by a flow after the module has seen it. */
export class Seen implements Received {
  readonly request: SipRequest;
  readonly flow: Flow;
  readonly draft: RequestDraft;
  readonly #edits: ((draft: RequestDraft, out: Flow) => void)[] = [];

  constructor(request: SipRequest, flow: Flow = new RecordingTransport().connect(PEER)) {
    this.request = request;
    this.flow = flow;
    this.draft = new RequestDraft(request);
  }

  onForward(edit: (draft: RequestDraft, out: Flow) => void): void {
    this.#edits.push(edit);
  }

  /** What leaves by `out`. */
  leaving(out: Flow): SipRequest {
    const draft = this.draft.fork();
    for (const edit of this.#edits) edit(draft, out);
    return asRequest(draft.toString());
  }
}
