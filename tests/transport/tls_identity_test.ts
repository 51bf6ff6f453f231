import { FlowError } from "../../src/transport/flow.ts";
import { TlsIdentity, type TlsOptions } from "../../src/transport/tls_identity.ts";
import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
} from "../support/assert.ts";
import { type CertificateName, filesOf, keyPath, pemPath } from "../support/certificates.ts";
import { inTime } from "../support/sockets.ts";
import { VirtualClock } from "../support/virtual_clock.ts";

const USUAL: TlsOptions = {
  certificates: [filesOf("example")],
  minVersion: "1.2",
  clientCertificates: "none",
};

Deno.test("a certificate is found by its names, whatever their case, and the first is for all others", async () => {
  const identity = await TlsIdentity.load({
    ...USUAL,
    certificates: [filesOf("example"), filesOf("renewed"), filesOf("uri"), filesOf("wildcard")],
  });
  const first = identity.contextFor();
  assert(identity.contextFor("EXAMPLE.com") === first);
  assert(identity.contextFor("nobody.net") === first);
  assert(identity.contextFor("a.b.example.com") === first);
  const uri = identity.contextFor("pbx.example.com");
  assertNotEquals(uri, first);
  assert(identity.contextFor("unrelated.example.com") === uri);
  const wildcard = identity.contextFor("any.example.com");
  assert(wildcard !== first && wildcard !== uri);
});

Deno.test("the chain may be in a file of its own", async () => {
  const options = { ...USUAL, certificates: [{ ...filesOf("chained"), chain: pemPath("intermediate") }] };
  const { serverOptions } = await TlsIdentity.load(options);
  const whole = await TlsIdentity.load({ ...USUAL, certificates: [filesOf("chained-full")] });
  assertEquals(serverOptions.cert, whole.serverOptions.cert);
  assertEquals(String(serverOptions.cert).match(/BEGIN CERTIFICATE/g)?.length, 2);
});

Deno.test("every file it is made of is named", async () => {
  const certificates = [filesOf("example"), { ...filesOf("chained"), chain: pemPath("intermediate") }];
  const identity = await TlsIdentity.load({ ...USUAL, certificates, ca: pemPath("ca") });
  assertEquals(identity.files, [
    pemPath("example"),
    keyPath("example"),
    pemPath("chained"),
    keyPath("chained"),
    pemPath("intermediate"),
    pemPath("ca"),
  ]);
});

for (
  const [what, options, fault] of [
    ["a missing file", { certificates: [{ ...filesOf("example"), certificate: "/no/such.pem" }] }, [
      "Cannot read /no/such.pem: there is no such file",
    ]],
    ["a key in place of a certificate", {
      certificates: [{ ...filesOf("example"), certificate: keyPath("example") }],
    }, [`Cannot use ${keyPath("example")}: there is no certificate in PEM in it`]],
    ["a certificate in place of a key", {
      certificates: [{ ...filesOf("example"), key: pemPath("example") }],
    }, [`Cannot use ${pemPath("example")}: there is no private key in PEM in it`]],
    ["the key of another certificate", {
      certificates: [{ ...filesOf("example"), key: keyPath("second") }],
    }, [`Cannot use ${keyPath("second")}: it is not the key of the certificate in ${pemPath("example")}`]],
    ["a chain without certificates", {
      certificates: [{ ...filesOf("example"), chain: keyPath("example") }],
    }, [keyPath("example"), "no certificate"]],
    ["authorities that are none", { ca: keyPath("example") }, [keyPath("example"), "no certificate"]],
  ] as const
) {
  Deno.test(`${what} is an error that says so`, async () => {
    const error = await assertRejects(() => TlsIdentity.load({ ...USUAL, ...options }), FlowError);
    for (const part of fault) assertStringIncludes(error.message, part);
  });
}

Deno.test("a damaged certificate is an error that says so", async () => {
  await using folder = await Folder.make();
  await folder.put("example");
  const text = await Deno.readTextFile(folder.certificate);
  await Deno.writeTextFile(folder.certificate, text.replace(/\nM/, "\nQ"));
  const error = await assertRejects(
    () => TlsIdentity.load({ ...USUAL, certificates: [folder.files] }),
    FlowError,
  );
  assertStringIncludes(error.message, `Cannot use ${folder.certificate}: a certificate in it is damaged`);
});

Deno.test("a certificate that has expired, or is not yet valid, is a warning and no error", async () => {
  const identity = await TlsIdentity.load({
    ...USUAL,
    certificates: [filesOf("example"), filesOf("expired")],
  });
  assertEquals(identity.warnings(Date.UTC(2025, 0)), [
    `The certificate in ${pemPath("expired")} has expired on 2020-02-01T00:00:00.000Z`,
  ]);
  assertEquals(identity.warnings(Date.UTC(2020, 0, 10)), []);
  assertEquals(identity.warnings(Date.UTC(2019, 0)).length, 2);
});

Deno.test("an IP address is no name to ask for", async () => {
  const identity = await TlsIdentity.load(USUAL);
  assertEquals(identity.clientOptions("example.com").servername, "example.com");
  for (const address of ["192.0.2.1", "2001:db8::1"]) {
    assert(!("servername" in identity.clientOptions(address)));
  }
});

Deno.test("a reload is all or nothing, and tells who wants to know", async () => {
  await using folder = await Folder.make();
  await folder.put("example");
  const identity = await TlsIdentity.load({ ...USUAL, certificates: [folder.files, filesOf("second")] });
  let reloads = 0;
  const stop = identity.onReload(() => reloads++);
  const before = identity.contextFor();
  await Deno.remove(folder.key);
  await assertRejects(() => identity.reload(), FlowError, `Cannot read ${folder.key}: there is no such file`);
  assert(identity.contextFor() === before);
  assertEquals(reloads, 0);
  await folder.put("renewed");
  await Promise.all([identity.reload(), identity.reload()]);
  assert(identity.contextFor() !== before);
  assertEquals([identity.serverOptions.cert, reloads], [
    (await Deno.readTextFile(pemPath("renewed"))).trim(),
    2,
  ]);
  stop();
  await identity.reload();
  assertEquals(reloads, 2);
});

Deno.test("files that change are read again once they have settled, and only then", async () => {
  await using folder = await Folder.make();
  await folder.put("example");
  const identity = await TlsIdentity.load({ ...USUAL, certificates: [folder.files] });
  const clock = new VirtualClock();
  const watched = new Watched(identity, clock);
  clock.advance(60_000);
  assertEquals(watched.count, 0);

  // The certificate comes first, its key a little later.
  await Deno.copyFile(pemPath("second"), folder.certificate);
  clock.advance(5_000);
  await Deno.copyFile(keyPath("second"), folder.key);
  clock.advance(5_000);
  assertEquals(watched.count, 0);
  clock.advance(5_000);
  assertEquals(await watched.next(), undefined);
  assertEquals(identity.serverOptions.key, await Deno.readTextFile(keyPath("second")));
  clock.advance(60_000);
  assertEquals(watched.count, 1);

  await Deno.writeTextFile(folder.key, "nothing");
  clock.advance(10_000);
  assertStringIncludes((await watched.next())!.message, "there is no private key in PEM in it");
  assertEquals(identity.serverOptions.key, await Deno.readTextFile(keyPath("second")));

  watched.stop();
  await folder.put("example");
  clock.advance(60_000);
  assertEquals(watched.count, 2);
});

Deno.test("links that are swapped are noticed, as those of mounted secrets are", async () => {
  await using folder = await Folder.make();
  const root = folder.path;
  for (const [version, name] of [["first", "example"], ["later", "renewed"]] as const) {
    await Deno.mkdir(`${root}/${version}`);
    await Deno.copyFile(pemPath(name), `${root}/${version}/own.pem`);
    await Deno.copyFile(keyPath(name), `${root}/${version}/own-key.pem`);
  }
  await Deno.symlink("first", `${root}/data`);
  await Deno.symlink("data/own.pem", folder.certificate);
  await Deno.symlink("data/own-key.pem", folder.key);
  const identity = await TlsIdentity.load({ ...USUAL, certificates: [folder.files] });
  const clock = new VirtualClock();
  const watched = new Watched(identity, clock);
  await Deno.symlink("later", `${root}/data-new`);
  await Deno.rename(`${root}/data-new`, `${root}/data`);
  clock.advance(10_000);
  assertEquals(await watched.next(), undefined);
  assertEquals(identity.serverOptions.key, await Deno.readTextFile(keyPath("renewed")));
  watched.stop();
});

/** A folder with a certificate and its key. */
class Folder {
  readonly certificate: string;
  readonly key: string;

  private constructor(readonly path: string) {
    this.certificate = `${path}/own.pem`;
    this.key = `${path}/own-key.pem`;
  }

  static async make(): Promise<Folder> {
    return new Folder(await Deno.makeTempDir());
  }

  get files() {
    return { certificate: this.certificate, key: this.key };
  }

  async put(name: CertificateName): Promise<void> {
    await Deno.copyFile(pemPath(name), this.certificate);
    await Deno.copyFile(keyPath(name), this.key);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}

/** Looks every five seconds, and notes how each reload went. */
class Watched {
  count = 0;
  readonly stop: () => void;
  #told = Promise.withResolvers<Error | undefined>();

  constructor(identity: TlsIdentity, clock: VirtualClock) {
    this.stop = identity.watch(clock, 5_000, (error) => {
      this.count++;
      this.#told.resolve(error);
    });
  }

  /** The fault of the next reload, if it has one. */
  async next(): Promise<Error | undefined> {
    const error = await inTime(this.#told.promise, "a reload");
    this.#told = Promise.withResolvers();
    return error;
  }
}
