// English: what is said of the rule whose place an order takes.

export const enOrders = {
  "orders.already": "{name} is cut off already.",
  "orders.changed": "Its rules were changed in the meantime, and stay as they are.",
  "orders.endless": "until released",
  "orders.until": "until {time}",
  "orders.replaces":
    "It takes the place of a rule that is in force: {rule}. Undo brings that back; a release later does not.",
  "orders.replaces_response":
    "It takes the place of a rule that the sensor ordered by itself: {rule}. Undo orders the same again, but a rule that this one had taken the place of does not come back.",
} as const satisfies Record<string, string>;
