// All that Hearthwall adds to Home Assistant's frontend.

import { deviceElements } from "./device/index.js";
import { HearthwallDevicesCard } from "./devices/card.js";
import { HearthwallDeviceRow } from "./devices/row.js";
import { HearthwallConfirm } from "./dialog.js";
import { eventsElements, eventsEntry } from "./events/index.js";
import { flowMapElements, flowMapEntry } from "./flow-map/index.js";
import { DOMAIN, type HomeAssistant } from "./hass.js";
import { localizer } from "./localize.js";
import { HearthwallNotice } from "./notice.js";
import { announce, define } from "./register.js";
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

const t = localizer(undefined);
window.customCards = announce(window.customCards ?? [], [
  {
    type: "hearthwall-devices-card",
    name: t("devices.name"),
    description: t("devices.description"),
    preview: true,
    documentationURL: DOCUMENTATION,
  },
  {
    type: "hearthwall-device-card",
    name: t("device.name"),
    description: t("device.description"),
    preview: true,
    documentationURL: DOCUMENTATION,
    getEntitySuggestion: ofDevice,
  },
  { ...flowMapEntry(), documentationURL: DOCUMENTATION },
  { ...eventsEntry(), documentationURL: DOCUMENTATION },
]);
window.customStrategies = announce(window.customStrategies ?? [], [
  { ...strategyEntry(), documentationURL: DOCUMENTATION },
]);
window.customBadges = announce(window.customBadges ?? [], [
  {
    type: "hearthwall-badge",
    name: t("badge.name"),
    description: t("badge.description"),
    preview: true,
    documentationURL: DOCUMENTATION,
  },
]);
window.customCardFeatures = announce(window.customCardFeatures ?? [], [
  {
    type: "hearthwall-quarantine-feature",
    name: t("feature.name"),
    isSupported: (hass, { entity_id: entityId }) => isQuarantineSwitch(hass, entityId),
  },
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
  ...strategyElements,
});
