export { inputAddress, inputSize, stateAddress } from "./layout";
export {
  consumedBytes,
  listingAddress,
  maxListingRecords,
  scanListing,
} from "./listing";
export {
  replyCodesAddress,
  replyEndsAddress,
  replyStartsAddress,
  scanReplies,
} from "./reply";
