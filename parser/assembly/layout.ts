/**
 * Layout of linear memory. Its size is fixed (4 pages), so the host's views never
 * detach. Its content does not outlive the call that wrote it.
 *
 *     0x00000 ┌──────────────────────────┐
 *             │ data of the compiler     │
 *     0x01000 ├──────────────────────────┤ STATE
 *             │ state of one stream      │ copied in and out by the host
 *     0x01800 ├──────────────────────────┤ RECORDS
 *             │ tables of what was found │ one layout per kind of scan
 *     0x2f000 ├──────────────────────────┤ INPUT
 *             │ a piece of the stream    │ preceded by room for one byte held back
 *     0x3f000 ├──────────────────────────┤ INPUT + INPUT_SIZE
 *             │ room to load past it     │
 *     0x40000 └──────────────────────────┘
 */

export const STATE: usize = 0x1000;
export const RECORDS: usize = 0x1800;
export const INPUT: usize = 0x2f000;
export const INPUT_SIZE: i32 = 0x10000;

// functions, because the host's types do not contain exported globals

/** Address of a stream's state. */
export function stateAddress(): usize {
  return STATE;
}

/** Address of a piece of a stream. */
export function inputAddress(): usize {
  return INPUT;
}

/** Largest piece, in bytes. */
export function inputSize(): i32 {
  return INPUT_SIZE;
}
