// All that Hearthwall adds to Home Assistant's frontend.

import { HearthwallConfirm } from "./dialog.js";
import { define } from "./register.js";
import { HearthwallSparkline } from "./sparkline.js";

void define({
  "hearthwall-confirm": HearthwallConfirm,
  "hearthwall-sparkline": HearthwallSparkline,
});
