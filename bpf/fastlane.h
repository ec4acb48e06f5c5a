/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fast lane: finds the rule that a frame meets first, and drops the frame there and then if
 * nothing about the rule asks for a closer look. Most frames meet no rule and most that do are of this
 * kind, so here is where a flood from an isolated device or a blocked address is paid for.
 */
#ifndef HEARTHWALL_FASTLANE_H
#define HEARTHWALL_FASTLANE_H

#include "verdict.h"

enum lane {
	LANE_PASS, /* no rule concerns the frame */
	LANE_DROP, /* dropped and counted */
	LANE_SLOW, /* the whole verdict is needed */
};

/* Where a frame's addresses are, and whether no allowance but DNS's and Home Assistant's could be for it. */
struct glance {
	u64 source_mac;
	u64 source_high, source_low; /* as IPv6 addresses in memory */
	u64 destination_high, destination_low;
	u8 family;
	bool is_ordinary;
};

static inline __attribute__((always_inline)) bool is_ordinary(u8 protocol, struct ports *ports, void *end, u16 client,
							      u16 server)
{
	if (protocol == PROTOCOL_TCP)
		return true;
	if (protocol != PROTOCOL_UDP || (void *)(ports + 1) > end)
		return false;
	return ports->source != bpf_htons(client) && ports->source != bpf_htons(server);
}

/* Looks at what lies at fixed places only. */
static inline __attribute__((always_inline)) void glance_at(struct glance *glance, struct link link, void *data,
							    void *end)
{
	struct ipv4 *ip4 = data + link.offset;
	struct ipv6 *ip6 = data + link.offset;

	glance->source_mac = *(u64 *)(data + 6) << 16 >> 16; /* with the type behind it, which the shift takes out */
	glance->family = 0;
	glance->is_ordinary = false;
	if (link.ethertype == ETHERTYPE_IPV4 && (void *)(ip4 + 1) <= end && ip4->version_and_length == 0x45) {
		glance->family = 4;
		glance->source_high = glance->destination_high = 0;
		glance->source_low = (u64)ip4->source << 32 | 0xffff0000;
		glance->destination_low = (u64)ip4->destination << 32 | 0xffff0000;
		glance->is_ordinary = is_ordinary(ip4->protocol, (struct ports *)(ip4 + 1), end, 68, 67);
	} else if (link.ethertype == ETHERTYPE_IPV6 && (void *)(ip6 + 1) <= end && *(u8 *)ip6 >> 4 == 6) {
		glance->family = 6;
		glance->source_high = *(u64 *)&ip6->source[0];
		glance->source_low = *(u64 *)&ip6->source[2];
		glance->destination_high = *(u64 *)&ip6->destination[0];
		glance->destination_low = *(u64 *)&ip6->destination[2];
		glance->is_ordinary = is_ordinary(ip6->next_header, (struct ports *)(ip6 + 1), end, 546, 547);
	}
}

/* Whether a rule drops the frame whatever else is in it. */
static inline __attribute__((always_inline)) bool is_plain(struct rule *rule, struct glance *glance, enum hook hook)
{
	return rule->mode == MODE_ISOLATE && !rule->flags && rule->hooks & hook &&
	       (!rule->allow || (rule->allow == ALLOW_ADDRESSING && glance->is_ordinary));
}

static inline __attribute__((always_inline)) enum lane drop_at_once(struct rule *rule, struct glance *glance,
								    enum hook hook, bool protected, u32 bytes)
{
	u64 now;

	if (protected || !is_plain(rule, glance, hook) || !is_alive(rule, &now))
		return LANE_SLOW;
	hit(rule, 1, bytes, now);
	return LANE_DROP;
}

static inline __attribute__((always_inline)) struct rule *glance_exact(struct config *settings, struct filters *bits,
								       u8 family, u64 high, u64 low)
{
	struct rule *rule = NULL;
	struct address key6;
	__be32 key4 = low >> 32;

	if (family == 4) {
		if (settings->ipv4_rules && may_have_ipv4(bits, key4))
			rule = ipv4_rules.lookup(&key4);
		KEEP_APART(rule, 4);
		return rule;
	}
	if (!settings->ipv6_rules || !may_have_ipv6(bits, high, low))
		return NULL;
	key6.part[0] = high;
	key6.part[1] = high >> 32;
	key6.part[2] = low;
	key6.part[3] = low >> 32;
	rule = ipv6_rules.lookup(&key6);
	KEEP_APART(rule, 6);
	return rule;
}

static inline __attribute__((always_inline)) struct rule *glance_prefix(struct config *settings, struct filters *bits,
									u8 family, u64 high, u64 low)
{
	struct ipv4_prefix key4 = { 32, low >> 32 };
	struct network key6 = { 128, { { high, high >> 32, low, low >> 32 } } };

	if (family == 4)
		return settings->ipv4_prefixes && may_have_ipv4_prefix(bits, key4.address) ? ipv4_prefixes.lookup(&key4) :
											     NULL;
	if (!settings->ipv6_prefixes || !may_have_ipv6_prefix(bits, high))
		return NULL;
	return ipv6_prefixes.lookup(&key6);
}

/* What has IP addresses at no fixed place, or none at all. */
static inline __attribute__((always_inline)) enum lane unusual_lane(struct config *settings, struct link link)
{
	u32 rules = link.ethertype == ETHERTYPE_IPV4 ? settings->ipv4_rules | settings->ipv4_prefixes :
		    link.ethertype == ETHERTYPE_IPV6 ? settings->ipv6_rules | settings->ipv6_prefixes :
						       0;

	return rules ? LANE_SLOW : LANE_PASS;
}

/* The rules in the order in which the whole verdict asks them; a frame that any other may meet takes the slow lane. */
static inline __attribute__((always_inline)) enum lane choose_lane(struct config *settings, struct link link, void *data,
								   void *end, enum hook hook)
{
	struct filters *bits;
	struct glance glance;
	u32 zero = 0, bytes = end - data;
	struct rule *rule;
	u64 high, low, far_high, far_low;

	bits = filters.lookup(&zero);
	if (!bits || data + sizeof(struct ethernet) > end)
		return LANE_PASS;
	glance_at(&glance, link, data, end);
	if (hook == FROM_LAN && settings->mac_rules && may_have_mac(bits, glance.source_mac)) {
		rule = mac_rules.lookup((struct mac *)&glance.source_mac);
		if (rule)
			return drop_at_once(rule, &glance, hook, may_be_protected_mac(bits, glance.source_mac), bytes);
	}
	if (!glance.family)
		return unusual_lane(settings, link);
	high = hook == FROM_LAN ? glance.source_high : glance.destination_high;
	low = hook == FROM_LAN ? glance.source_low : glance.destination_low;
	far_high = hook == FROM_LAN ? glance.destination_high : glance.source_high;
	far_low = hook == FROM_LAN ? glance.destination_low : glance.source_low;
	rule = glance_exact(settings, bits, glance.family, high, low);
	if (!rule) {
		high = far_high;
		low = far_low;
		rule = glance_exact(settings, bits, glance.family, high, low);
	}
	if (!rule) {
		high = hook == FROM_LAN ? glance.source_high : glance.destination_high;
		low = hook == FROM_LAN ? glance.source_low : glance.destination_low;
		rule = glance_prefix(settings, bits, glance.family, high, low);
	}
	if (!rule) {
		high = far_high;
		low = far_low;
		rule = glance_prefix(settings, bits, glance.family, high, low);
	}
	if (!rule)
		return LANE_PASS;
	return drop_at_once(rule, &glance, hook, may_be_protected(bits, high, low), bytes);
}

#endif
