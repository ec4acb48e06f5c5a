// English: the rules in force, and what stands out.

export const enRules = {
  "rules.name": "Hearthwall rules",
  "rules.description": "What is held back right now, of devices, peers and programs: since when, why, for how long, and the way to end it.",
  "rules.title": "Rules in force",
  "rules.none": "No rule is in force: everything passes.",
  "rules.blocked": "Blocked",
  "rules.end": "End",
  "rules.end_named": "End the rule on {name}",
  "rules.end_confirm": "End rule",
  "rules.show_rest": "Show all {count} rules",
  "rules.process": "Process {pid}",
  "rules.unconfirmed": "ends in {span} unless it is confirmed",
  "rules.audited": "{packets} packets seen ({bytes})",
  "rules.last_hit": "last {ago}",
  "rules.unenforced": "The kernel does not enforce it now.",
  "rules.reason.quarantine": "Quarantined from Home Assistant",
} as const satisfies Record<string, string>;
