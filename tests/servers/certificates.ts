/**
 * Certificates for tests, made by the `openssl` command: an authority, what it signed, and what it did not.
 * Made once a process, in a temporary folder that is removed when the process unloads.
 */

import { findProgram, programEnvironment } from "./programs.ts";

/** A certificate and its key, as PEM files. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

/** All that the TLS tests need. */
export interface Certificates {
  /** The authority that signed `good`, `expired`, `wrongName` and `client`. */
  readonly authority: CertificateFiles;
  /** An authority that signed nothing here. */
  readonly otherAuthority: CertificateFiles;
  /** For localhost, 127.0.0.1, 127.0.0.2 and ::1. */
  readonly good: CertificateFiles;
  /** Like `good`, with an RSA key. */
  readonly rsa: CertificateFiles;
  /** Like `good`, but it ended in 2021. */
  readonly expired: CertificateFiles;
  /** For another host. */
  readonly wrongName: CertificateFiles;
  /** Like `good`, signed by itself. */
  readonly selfSigned: CertificateFiles;
  /** For a client that proves who it is. */
  readonly client: CertificateFiles;
}

const SERVER_NAMES =
  "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:127.0.0.2,IP:::1";

let cached: Promise<Certificates> | undefined;

/**
 * Makes the certificates, or gives those made before.
 *
 * @returns The paths of their files.
 */
export function certificates(): Promise<Certificates> {
  return cached ??= makeCertificates();
}

async function makeCertificates(): Promise<Certificates> {
  const folder = await Deno.makeTempDir({ prefix: "ftp_certificates_" });
  globalThis.addEventListener("unload", () => {
    Deno.removeSync(folder, { recursive: true });
  });
  // Servers that gave up their rights read them too. They protect nothing.
  await Deno.chmod(folder, 0o755);
  const maker = new CertificateMaker(folder);
  const authority = await maker.authority("authority");
  return {
    authority,
    otherAuthority: await maker.authority("other_authority"),
    good: await maker.signed("good", authority, SERVER_NAMES),
    rsa: await maker.signed("rsa", authority, SERVER_NAMES, { rsa: true }),
    expired: await maker.signed("expired", authority, SERVER_NAMES, {
      dates: ["20200101000000Z", "20210101000000Z"],
    }),
    wrongName: await maker.signed(
      "wrong_name",
      authority,
      "subjectAltName=DNS:elsewhere.test",
    ),
    selfSigned: await maker.selfSigned("self_signed", SERVER_NAMES),
    client: await maker.signed(
      "client",
      authority,
      "extendedKeyUsage=clientAuth",
    ),
  };
}

interface SigningOptions {
  rsa?: boolean;
  /** First and last moment, as openssl writes them. */
  dates?: readonly [string, string];
}

class CertificateMaker {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async authority(name: string): Promise<CertificateFiles> {
    return await this.#issue(name, [
      "basicConstraints=critical,CA:TRUE",
      "keyUsage=critical,keyCertSign,cRLSign",
    ]);
  }

  async selfSigned(name: string, extension: string): Promise<CertificateFiles> {
    return await this.#issue(name, [
      "basicConstraints=critical,CA:FALSE",
      extension,
    ]);
  }

  async signed(
    name: string,
    authority: CertificateFiles,
    extension: string,
    options: SigningOptions = {},
  ): Promise<CertificateFiles> {
    return await this.#issue(
      name,
      ["basicConstraints=critical,CA:FALSE", extension],
      authority,
      options,
    );
  }

  /** Without an authority it signs itself. */
  async #issue(
    name: string,
    extensions: readonly string[],
    authority?: CertificateFiles,
    options: SigningOptions = {},
  ): Promise<CertificateFiles> {
    const files = {
      certificate: `${this.#folder}/${name}.pem`,
      key: `${this.#folder}/${name}.key`,
    };
    const request = `${this.#folder}/${name}.csr`;
    await this.#openssl(
      "req",
      "-new",
      ...(options.rsa
        ? ["-newkey", "rsa:2048"]
        : ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]),
      "-nodes",
      "-keyout",
      files.key,
      "-out",
      request,
      "-subj",
      `/CN=${name}`,
    );
    // "x509" cannot set dates in the past, "ca" can; it keeps its books in a folder.
    const books = `${this.#folder}/${name}.books`;
    await Deno.mkdir(books);
    await Deno.writeTextFile(`${books}/index`, "");
    await Deno.writeTextFile(
      `${books}/config`,
      `[ca]
default_ca = default
[default]
database = ${books}/index
new_certs_dir = ${books}
rand_serial = yes
default_md = sha256
policy = policy
x509_extensions = extensions
[policy]
commonName = supplied
[extensions]
subjectKeyIdentifier = hash
${extensions.join("\n")}
`,
    );
    const [start, end] = options.dates ??
      ["20200101000000Z", "20491231000000Z"];
    await this.#openssl(
      "ca",
      "-batch",
      "-notext",
      "-config",
      `${books}/config`,
      "-in",
      request,
      "-out",
      files.certificate,
      "-startdate",
      start,
      "-enddate",
      end,
      ...(authority === undefined
        ? ["-selfsign", "-keyfile", files.key]
        : ["-cert", authority.certificate, "-keyfile", authority.key]),
    );
    await Deno.chmod(files.key, 0o644);
    return files;
  }

  async #openssl(...args: string[]): Promise<void> {
    const { success, stderr } = await new Deno.Command(
      findProgram("openssl") ?? "openssl",
      { args, env: programEnvironment(), stdin: "null" },
    ).output();
    if (!success) {
      throw new Error(
        `Cannot make a certificate: ${new TextDecoder().decode(stderr)}`,
      );
    }
  }
}
