import { createHash, X509Certificate } from "node:crypto";
import { createRequire } from "node:module";
import puppeteer, { type Browser as Chromium, type Page } from "puppeteer-core";

/** Where Debian and others put it. */
const PATHS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

const PAGES = new URL("../integration/browser/", import.meta.url);

/** Milliseconds after which what ought to happen in a page will not. */
const PATIENCE = 10_000;

/** The Chromium of this machine; undefined if it has none. */
export const CHROMIUM: string | undefined = PATHS.find((path) => {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
});

/** Headless Chromium that believes one authority more, and the phones in its pages. */
export class Browser {
  readonly #chromium: Chromium;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  private constructor(chromium: Chromium, server: Deno.HttpServer<Deno.NetAddr>) {
    this.#chromium = chromium;
    this.#server = server;
  }

  /** Starts it; `authority` in PEM. */
  static async start(authority: string): Promise<Browser> {
    const chromium = await puppeteer.launch({
      executablePath: CHROMIUM,
      pipe: true,
      args: [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        `--ignore-certificate-errors-spki-list=${pinOf(authority)}`,
      ],
    });
    try {
      return new Browser(chromium, await serve());
    } catch (error) {
      await chromium.close();
      throw error;
    }
  }

  /** Opens a page with a phone in it. */
  async phone(): Promise<PagePhone> {
    const page = await this.#chromium.newPage();
    await page.goto(`http://127.0.0.1:${this.#server.addr.port}/phone.html`);
    return new PagePhone(page);
  }

  /** Ends it and all its processes. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#chromium.close();
    await this.#server.shutdown();
  }
}

/** The phone in one page: see `tests/integration/browser/phone.js`. */
export class PagePhone {
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  start(name: string, domain: string, url: string): Promise<void> {
    return this.#do("start", name, domain, url);
  }

  call(uri: string): Promise<void> {
    return this.#do("call", uri);
  }

  answer(): Promise<void> {
    return this.#do("answer");
  }

  hangUp(): Promise<void> {
    return this.#do("hangUp");
  }

  message(uri: string, text: string): Promise<void> {
    return this.#do("message", uri, text);
  }

  stop(): Promise<void> {
    return this.#do("stop");
  }

  /** Waits for an event of that name; its detail. Rejects with all that happened instead. */
  async happens(event: string): Promise<string> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(async () => {
      const untold = await this.#page.evaluate("JSON.stringify(phone.untold())").catch(String);
      late.reject(new Error(`Waited in vain for "${event}" in a page; there were ${untold}`));
    }, PATIENCE);
    try {
      return await Promise.race([this.#evaluate("happens", event) as Promise<string>, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Leaves without a word, as one who closes a tab. */
  close(): Promise<void> {
    return this.#page.close();
  }

  async #do(method: string, ...args: string[]): Promise<void> {
    await this.#evaluate(method, ...args);
  }

  #evaluate(method: string, ...args: string[]): Promise<unknown> {
    return this.#page.evaluate(`phone.${method}(${args.map((arg) => JSON.stringify(arg)).join()})`);
  }
}

/** What Chromium knows a key by. */
function pinOf(certificate: string): string {
  const key = new X509Certificate(certificate).publicKey.export({ type: "spki", format: "der" });
  return createHash("sha256").update(key).digest("base64");
}

/** Serves the pages on loopback, where a browser trusts them with its microphone. */
async function serve(): Promise<Deno.HttpServer<Deno.NetAddr>> {
  const html = await Deno.readTextFile(new URL("phone.html", PAGES));
  const script = await bundle();
  const events = await eventsForBrowsers();
  const javascript = { headers: { "content-type": "text/javascript" } };
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, ({ url }) => {
    switch (new URL(url).pathname) {
      case "/phone.html":
        return new Response(html, { headers: { "content-type": "text/html" } });
      case "/phone.js":
        return new Response(script, javascript);
      case "/events.js":
        return new Response(events, javascript);
      default:
        return new Response("", { status: 404 });
    }
  });
}

/** The script of the page and all it needs, JsSIP above all, as one file. */
async function bundle(): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--platform", "browser", new URL("phone.js", PAGES).pathname],
  }).output();
  const text = new TextDecoder();
  if (code !== 0) throw new Error(`Cannot bundle the page: ${text.decode(stderr)}`);
  return text.decode(stdout);
}

/**
 * The package `events` as what `require` gives: JsSIP means that by "events", and is given the runtime's own by the
 * bundler, which no browser has.
 */
async function eventsForBrowsers(): Promise<string> {
  const path = createRequire(import.meta.resolve("jssip")).resolve("events/");
  const source = await Deno.readTextFile(path);
  return `const events = {};\n((module) => {\n${source}\n})(events);\nglobalThis.require = () => events.exports;\n`;
}
