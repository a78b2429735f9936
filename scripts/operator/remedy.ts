/** What to do about an error that a swarm task reports. */

const REMEDIES: readonly (readonly [RegExp, string])[] = [
  [
    /no such image|manifest unknown|pull access denied|repository does not exist/i,
    "check the image's name, and that the node may pull it; built images exist only on the node that built them",
  ],
  [
    /no suitable node/i,
    "no node fits: lower the service's resources, or take a larger size or more nodes",
  ],
  [/exit \(137\)|oom/i, "it was killed, probably out of memory: raise resources.memoryMib"],
  [
    /executable file not found|no such file or directory/i,
    "the command is not in the image: check `command` and `release`",
  ],
  [
    /unhealthy|health ?check/i,
    "it starts but does not answer its health check: check `health.path` and `port`, then its logs",
  ],
  [/non-zero exit/i, "it ended by itself: its logs say why"],
  [
    /invalid mount|bind source path/i,
    "the directory is missing on the node: is the Volume attached?",
  ],
];

/** @returns undefined when the message is not one we know. */
export function remedyFor(message: string): string | undefined {
  return REMEDIES.find(([pattern]) => pattern.test(message))?.[1];
}
