export { inputAddress, inputSize, stateAddress } from "./layout";
export {
  replyCodesAddress,
  replyEndsAddress,
  replyStartsAddress,
  scanReplies,
} from "./reply";
