// 日本語: 操作によって置き換わるルールについての説明

import type { enOrders } from "./en-orders.js";

export const jaOrders: Record<keyof typeof enOrders, string> = {
  "orders.already": "{name} はすでに遮断されています。",
  "orders.changed": "その間にルールが変更されたため、変更せずそのままにしました。",
  "orders.endless": "解除するまで",
  "orders.until": "{time} まで",
  "orders.replaces":
    "現在有効なルール「{rule}」と置き換わります。「元に戻す」を選ぶと元のルールに戻りますが、後から解除しても戻りません。",
  "orders.replaces_response":
    "センサーが自動で設定したルール「{rule}」と置き換わります。「元に戻す」を選ぶと同じルールを設定し直しますが、そのルールが置き換えたルールは戻りません。",
};
