export { consumedFactBytes, factWords, scanFacts } from "./facts";
export { inputAddress, inputSize, stateAddress } from "./layout";
export { consumedBytes, listingAddress, scanListing } from "./listing";
export {
  replyCodesAddress,
  replyEndsAddress,
  replyStartsAddress,
  scanReplies,
} from "./reply";
