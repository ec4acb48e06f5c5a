// All that Hearthwall adds to Home Assistant's frontend.

import { deviceElements } from "./device/index.js";
import { HearthwallDevicesCard } from "./devices/card.js";
import { HearthwallDeviceRow } from "./devices/row.js";
import { HearthwallConfirm } from "./dialog.js";
import { eventsElements, eventsEntry } from "./events/index.js";
import { flowMapElements, flowMapEntry } from "./flow-map/index.js";
import { gatewayElements, gatewayEntry } from "./gateway/index.js";
import { DOMAIN, type HomeAssistant } from "./hass.js";
import { type Localize, localizer } from "./localize.js";
import { HearthwallNotice } from "./notice.js";
import { announce, define, inWords } from "./register.js";
import { rulesElements, rulesEntry } from "./rules/index.js";
import { HearthwallBadge } from "./small/badge.js";
import { HearthwallQuarantineFeature, isQuarantineSwitch } from "./small/quarantine-feature.js";
import { HearthwallSparkline } from "./sparkline.js";
import { strategyElements, strategyEntry } from "./strategy/index.js";

const DOCUMENTATION = "https://github.com/hearthwall/hearthwall/blob/main/docs/cards.md";

/** Propose a card for each entity of a device of ours. */
function ofDevice(hass: HomeAssistant, entityId: string) {
  const entity = hass.entities[entityId];
  if (entity?.platform !== DOMAIN || !entity.device_id) return null;
  const isDevice = Object.values(hass.entities).some(
    (other) => other.device_id === entity.device_id && isQuarantineSwitch(hass, other.entity_id),
  );
  return isDevice ? { config: { type: "custom:hearthwall-device-card", device_id: entity.device_id } } : null;
}

const t: Localize = (key) => localizer(undefined)(key);
const entry = <T extends { type: string; name: string; description?: string }>(make: () => T) =>
  inWords(() => ({ ...make(), documentationURL: DOCUMENTATION }));

window.customCards = announce(window.customCards ?? [], [
  entry(() => ({
    type: "hearthwall-devices-card",
    name: t("devices.name"),
    description: t("devices.description"),
    preview: true,
  })),
  entry(() => ({
    type: "hearthwall-device-card",
    name: t("device.name"),
    description: t("device.description"),
    preview: true,
    getEntitySuggestion: ofDevice,
  })),
  entry(flowMapEntry),
  entry(eventsEntry),
  entry(rulesEntry),
  entry(gatewayEntry),
]);
window.customStrategies = announce(window.customStrategies ?? [], [entry(strategyEntry)]);
window.customBadges = announce(window.customBadges ?? [], [
  entry(() => ({
    type: "hearthwall-badge",
    name: t("badge.name"),
    description: t("badge.description"),
    preview: true,
  })),
]);
window.customCardFeatures = announce(window.customCardFeatures ?? [], [
  inWords(() => ({
    type: "hearthwall-quarantine-feature",
    name: t("feature.name"),
    isSupported: (hass: HomeAssistant, { entity_id: entityId }: { entity_id?: string }) =>
      isQuarantineSwitch(hass, entityId),
  })),
]);

void define({
  "hearthwall-confirm": HearthwallConfirm,
  "hearthwall-notice": HearthwallNotice,
  "hearthwall-sparkline": HearthwallSparkline,
  "hearthwall-devices-card": HearthwallDevicesCard,
  "hearthwall-device-row": HearthwallDeviceRow,
  ...deviceElements,
  "hearthwall-badge": HearthwallBadge,
  "hearthwall-quarantine-feature": HearthwallQuarantineFeature,
  ...flowMapElements,
  ...eventsElements,
  ...rulesElements,
  ...gatewayElements,
  ...strategyElements,
});
