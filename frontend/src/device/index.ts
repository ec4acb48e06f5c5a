// The device card, its view and its dialog.

import { HearthwallDeviceCard } from "./card.js";
import { HearthwallDeviceDialog } from "./dialog.js";
import { HearthwallHistory } from "./history.js";
import { HearthwallDeviceView } from "./view.js";

export const deviceElements = {
  "hearthwall-device-card": HearthwallDeviceCard,
  "hearthwall-device-view": HearthwallDeviceView,
  "hearthwall-device-dialog": HearthwallDeviceDialog,
  "hearthwall-history": HearthwallHistory,
};
