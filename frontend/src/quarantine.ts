// The question before a device is quarantined or released, and what is said after it.

import { askOrder, type Asking } from "./asking.js";
import { askCutOff } from "./cutting-off.js";
import { localizer } from "./localize.js";
import { quarantine, release } from "./orders.js";
import type { LiveDevice } from "./store.js";

/** A device that is to be quarantined; one that Home Assistant does not know has no `deviceId`. */
export interface Suspect {
  entryId: string;
  mac: string;
  name: string;
  deviceId: string | null;
}

/** Ask, and quarantine a device. */
export function askToQuarantine(asking: Asking, { entryId, mac, name, deviceId }: Suspect): Promise<boolean> {
  const { hass } = asking;
  const t = localizer(hass);
  return askCutOff(asking, {
    entryId,
    target: mac,
    name,
    title: t("quarantine.ask", { name }),
    text: t("quarantine.text"),
    confirm: t("quarantine.confirm"),
    told: t("quarantine.on", { name }),
    act: (before, seconds) => quarantine(hass, before, deviceId, seconds),
  });
}

/** Ask, and quarantine or release the device; the notice tells, and offers the way back. */
export function askQuarantine(asking: Asking, device: LiveDevice): Promise<boolean> {
  const { hass } = asking;
  const t = localizer(hass);
  const { name, mac, device_id: deviceId, quarantined } = device.row;
  if (!quarantined) return askToQuarantine(asking, { entryId: device.entryId, mac, name, deviceId });
  return askOrder(
    asking,
    {
      title: t("quarantine.release_ask", { name }),
      text: t("quarantine.release_text"),
      confirm: t("quarantine.release"),
      act: () => release(hass, device),
    },
    t("quarantine.off", { name }),
  );
}
