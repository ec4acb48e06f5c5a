// What is ordered from a device's page beside what any event allows: the end of a rule, and of an acceptance.

import { askOrder, type Asking } from "../asking.js";
import { localizer } from "../localize.js";
import type { Acceptance, Block } from "../messages.js";
import { accept, revoke, unblock } from "../orders.js";

/** Ask whether to end a rule. */
export function askUnblock(asking: Asking, entryId: string, block: Block): Promise<boolean> {
  const { hass } = asking;
  const t = localizer(hass);
  return askOrder(
    asking,
    {
      title: t("device.unblock_ask"),
      text: t("device.unblock_text"),
      confirm: t("rules.end_confirm"),
      act: () => unblock(hass, entryId, block),
    },
    t("device.unblock_done"),
  );
}

/** Ask whether to take back that something is fine. */
export function askRevoke(asking: Asking, entryId: string, { id, seq, summary }: Acceptance): Promise<boolean> {
  const { hass } = asking;
  const t = localizer(hass);
  return askOrder(
    asking,
    {
      title: t("device.revoke_ask"),
      text: t("device.revoke_text", { summary }),
      confirm: t("device.revoke"),
      act: async () => {
        await revoke(hass, entryId, id);
        return () => accept(hass, entryId, seq);
      },
    },
    t("device.revoke_done"),
  );
}
