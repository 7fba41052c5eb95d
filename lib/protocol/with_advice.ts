/**
 * Appends advice to a message.
 *
 * @module
 */

/**
 * Appends advice to a message. A period at the end of the message, often of a
 * server's reply, is left out.
 *
 * @param advice Text without a period; "" for none
 */
export function withAdvice(message: string, advice: string): string {
  return advice === "" ? message : `${withoutPeriod(message)}; ${advice}`;
}

/** Leaves out a period at the end of a text, often of a server's reply. */
export function withoutPeriod(text: string): string {
  return text.replace(/\.\s*$/, "");
}
