/** The client under test, or a replacement. */

import type { FTP } from "../../mod.ts";

/** The client under test. A replacement proves that the checks can fail. */
export interface Client {
  download: (
    ftp: FTP,
    ...rest: Parameters<FTP["download"]>
  ) => Promise<{ size: number; retries: number }>;
  upload: (
    ftp: FTP,
    ...rest: Parameters<FTP["upload"]>
  ) => Promise<{ size: number; retries: number }>;
  pwd: (ftp: FTP) => Promise<string>;
}

/** The client of this module. */
export const CLIENT: Client = {
  download: (ftp, ...rest) => ftp.download(...rest),
  upload: (ftp, ...rest) => ftp.upload(...rest),
  pwd: (ftp) => ftp.pwd(),
};
