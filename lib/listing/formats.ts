/**
 * Formats of listings that are read in TypeScript, in the order in which they
 * are tried. The WASM parser reads MLSD, Unix and DOS, which come first.
 *
 * @module
 */

import { CHAMELEON } from "./chameleon.ts";
import { DLS } from "./dls.ts";
import { ENTERPRISE } from "./enterprise.ts";
import { EPLF } from "./eplf.ts";
import type { ListingFormat } from "./listing_format.ts";
import { NETWARE } from "./netware.ts";
import { NONSTOP } from "./nonstop.ts";
import { NORTEL } from "./nortel.ts";
import { OS2 } from "./os2.ts";
import { OS400 } from "./os400.ts";
import { OS9 } from "./os9.ts";
import { UNIX_NUMERIC } from "./unix_numeric.ts";
import { VMS } from "./vms.ts";
import { VSHELL } from "./vshell.ts";
import { VXWORKS } from "./vxworks.ts";
import { ZOS_DATA_SETS } from "./zos_data_sets.ts";
import { ZOS_JES } from "./zos_jes.ts";
import { ZOS_LOAD_MODULES } from "./zos_load_modules.ts";
import { ZOS_MEMBERS } from "./zos_members.ts";
import { ZVM } from "./zvm.ts";

/** The rare formats. A new one needs its own file and a line here. */
export const FORMATS: readonly ListingFormat[] = [
  VMS,
  OS400,
  ZOS_DATA_SETS,
  ZOS_MEMBERS,
  ZOS_LOAD_MODULES,
  ZOS_JES,
  NONSTOP,
  NETWARE,
  OS2,
  EPLF,
  ENTERPRISE,
  VSHELL,
  VXWORKS,
  ZVM,
  OS9,
  NORTEL,
  CHAMELEON,
  UNIX_NUMERIC,
  DLS,
];
