/** Pulumi on one stack, which is local or in the cloud. */
import { setUp } from "../local/setup";
import { isKnown } from "../local/state";
import { cloudPulumi } from "./cloud-pulumi";
import { localPulumi } from "./local-pulumi";

export interface RunOptions {
  /** `inherit` shows what Pulumi prints, `capture` returns it. @default "capture" */
  readonly output?: "inherit" | "capture";
  /** More for the program's environment. @default nothing */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface StackPulumi {
  readonly stack: string;
  readonly isLocal: boolean;
  /** @param words without the stack. */
  run(
    words: readonly string[],
    options?: RunOptions,
  ): Promise<{ code: number; stdout: string; stderr: string }>;
}

/** The local stack of this name if there is one, unless `cloud` says otherwise; else that of the selected backend. */
export async function pulumiOn(stack: string, cloud: boolean): Promise<StackPulumi> {
  if (cloud || !isKnown(stack)) {
    return {
      stack,
      isLocal: false,
      run: (words, options) => cloudPulumi([...words, "--stack", stack], options),
    };
  }
  const local = await setUp();
  // Whoever connects to a node reads the key's place from here, as in any other run.
  process.env.ARCHIPELAGO_SSH_KEY = local.sshKey;
  return {
    stack,
    isLocal: true,
    run: (words, { output = "capture", environment = {} } = {}) =>
      localPulumi({ ...local, environment }, [...words, stack], output),
  };
}
