/**
 * A port without a listener: TCPMUX (RFC 1078). The system never assigns such a
 * low port to another program.
 */
export const DEAD_PORT = 1;
