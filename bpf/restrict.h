/* SPDX-License-Identifier: GPL-2.0 */
/* Rules on processes: which hold for one, and what they refuse it. */
#ifndef HEARTHWALL_RESTRICT_H
#define HEARTHWALL_RESTRICT_H

/* The rules that hold for a process, a bit each: on its image, and on its number. */
static inline __attribute__((always_inline)) u64 rules_on(struct process_settings *settings, u32 pid, u64 image)
{
	struct pid_rule *by_pid;
	u64 *by_image, rules = 0;

	if (pid == settings->sensor)
		return 0;
	by_image = image_rules.lookup(&image);
	if (by_image)
		rules = *by_image;
	if (settings->pid_rules) {
		by_pid = pid_rules.lookup(&pid);
		if (by_pid)
			rules |= by_pid->rules;
	}
	return rules;
}

/* Whether one rule holds now, and not for this peer of all. */
static inline __attribute__((always_inline)) struct process_rule *rule_against(u32 slot, u64 now, struct address *peer)
{
	struct process_rule *rule = process_rules.lookup(&slot);
	struct process_peer key = { .prefix_length = 160, .slot = slot };

	if (!rule || !rule->id || (rule->expires && rule->expires <= now))
		return NULL;
	if (rule->peers) {
		key.address = *peer;
		if (process_peers.lookup(&key))
			return NULL;
	}
	return rule;
}

static inline __attribute__((always_inline)) void hit(struct process_rule *rule, u64 now, u32 bytes)
{
	lock_xadd(&rule->packets, 1);
	lock_xadd(&rule->bytes, bytes);
	if (!rule->first_hit)
		rule->first_hit = now;
	rule->last_hit = now;
}

/* Whether a rule refuses a process this peer; those that only audit count. */
static inline __attribute__((always_inline)) bool is_refused(struct process_settings *settings, u32 pid, u64 image,
							     struct address *peer, u32 bytes)
{
	u64 rules = rules_on(settings, pid, image), now;
	struct process_rule *rule;
	bool refused = false;
	u32 slot;

	if (!rules)
		return false;
	now = bpf_ktime_get_boot_ns();
	for (slot = 0; slot < PROCESS_RULES; slot++) {
		if (!(rules >> slot & 1))
			continue;
		rule = rule_against(slot, now, peer);
		if (!rule)
			continue;
		hit(rule, now, bytes);
		if (!rule->audit)
			refused = true;
	}
	return refused;
}

#endif
