import * as messages from "@pulumi/pulumi/proto/provider_pb";
import type { CheckFailure } from "./check";
import { rootOf, type Change } from "./diff";
import { encode, type Values } from "./values";

export function checkResponse(
  inputs: Values,
  failures: readonly CheckFailure[],
): messages.CheckResponse {
  const response = new messages.CheckResponse();
  response.setInputs(encode(inputs));
  for (const { property, reason } of failures) {
    const failure = new messages.CheckFailure();
    failure.setProperty(property);
    failure.setReason(reason);
    response.addFailures(failure);
  }
  return response;
}

/** @param deleteFirst whether a replacement deletes the old resource before it makes the new one */
export function diffResponse(
  changes: readonly Change[],
  deleteFirst: boolean,
): messages.DiffResponse {
  const { DiffChanges } = messages.DiffResponse;
  const response = new messages.DiffResponse();
  response.setChanges(changes.length > 0 ? DiffChanges.DIFF_SOME : DiffChanges.DIFF_NONE);
  response.setHasdetaileddiff(true);
  const { Kind } = messages.PropertyDiff;
  const kinds = {
    add: [Kind.ADD, Kind.ADD_REPLACE],
    delete: [Kind.DELETE, Kind.DELETE_REPLACE],
    update: [Kind.UPDATE, Kind.UPDATE_REPLACE],
  } as const;
  for (const { path, kind, replace } of changes) {
    const detail = new messages.PropertyDiff();
    detail.setKind(kinds[kind][replace ? 1 : 0]);
    response.getDetaileddiffMap().set(path, detail);
  }
  const roots = (some: readonly Change[]): string[] => [
    ...new Set(some.map((c) => rootOf(c.path))),
  ];
  const replaces = roots(changes.filter(({ replace }) => replace));
  response.setDiffsList(roots(changes));
  response.setReplacesList(replaces);
  response.setDeletebeforereplace(replaces.length > 0 && deleteFirst);
  return response;
}
