import { z } from "zod";

/** The files of one certificate, as PEM. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
  /** The certificates between ours and an authority, where the file of ours does not have them. */
  readonly chain?: string;
}

const parts = z.strictObject({
  certificate: z.string().min(1),
  key: z.string().min(1),
  chain: z.string().min(1).optional(),
});

const SHAPE = 'must be written like "certificate.pem,key.pem"';

/** A certificate as it is written: a mapping, or `certificate.pem,key.pem` with `,chain.pem` if there is one. */
export const certificate = z.codec(
  z.union([z.string().regex(/^ *[^ ,][^,]*, *[^ ,][^,]*(?:, *[^ ,][^,]*)?$/, SHAPE), parts], SHAPE),
  z.custom<CertificateFiles>(),
  {
    decode: (written) => {
      if (typeof written !== "string") return written;
      const [certificate, key, chain] = written.split(",").map((file) => file.trim());
      return { certificate, key, ...(chain === undefined ? {} : { chain }) };
    },
    encode: (files) => {
      const { certificate, key, chain } = files;
      const all = [certificate, key, ...(chain === undefined ? [] : [chain])];
      return all.some((file) => file.includes(",") || file !== file.trim()) ? files : all.join(",");
    },
  },
);
