/**
 * A port on which nobody listens: TCPMUX (RFC 1078). One that was free a moment
 * ago may be somebody else's by now; the system gives out none so low.
 */
export const DEAD_PORT = 1;
