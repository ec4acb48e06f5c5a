/* SPDX-License-Identifier: GPL-2.0 */
/* Long lists, judged in tc after segments have been joined: feeds, and addresses of blocked names. */
#ifndef HEARTHWALL_LISTS_H
#define HEARTHWALL_LISTS_H

#include "verdict.h"

/* Feeds have the first slots, so that a prefix says in one word which feeds it is on. */
#define FEED_SLOTS 32

static inline __attribute__((always_inline)) bool has_index_bit(struct index_page *page, u32 number)
{
	return page && page->bits[number >> 6 & 3] >> (number & 63) & 1;
}

static inline __attribute__((always_inline)) u32 feeds_with_ipv4(u32 which, __be32 address)
{
	struct ipv4_prefix key = { 32, address };
	u32 block = bpf_ntohl(address) >> 8, page = block >> 8, *mask;

	if (!has_index_bit(feed_index.lookup(&page), block & 255))
		return 0;
	if (which == 1) {
		mask = feed_ipv4_a.lookup(&key);
		KEEP_APART(mask, 1);
	} else {
		mask = feed_ipv4_b.lookup(&key);
		KEEP_APART(mask, 2);
	}
	return mask ? *mask : 0;
}

static inline __attribute__((always_inline)) u32 feeds_with_ipv6(u32 which, struct address *address)
{
	struct network key = { 128, *address };
	u32 block = (u32)(bpf_ntohl(address->part[0]) * SPREAD_32) >> 12, page = block >> 8, *mask;

	if (!has_index_bit(feed_index6.lookup(&page), block & 255))
		return 0;
	if (which == 1) {
		mask = feed_ipv6_a.lookup(&key);
		KEEP_APART(mask, 1);
	} else {
		mask = feed_ipv6_b.lookup(&key);
		KEEP_APART(mask, 2);
	}
	return mask ? *mask : 0;
}

/* Notes who met whom, for the sensor to tell of; a list's own counters say only how often. */
static inline __attribute__((always_inline)) void note_sighting(struct scene *scene, enum hook hook, u32 slot)
{
	struct sighting_key key = { .peer = scene->far.address, .slot = slot };
	struct sighting *sighting;
	u64 now = bpf_ktime_get_boot_ns();

	if (hook & (FROM_LAN | TO_LAN))
		__builtin_memcpy(key.mac, device_of(scene, hook)->byte, 6);
	sighting = sightings.lookup(&key);
	if (!sighting) {
		struct sighting fresh = { .first = now, .near = scene->near.address };

		sightings.update(&key, &fresh);
		sighting = sightings.lookup(&key);
		if (!sighting)
			return;
	}
	__sync_fetch_and_add(&sighting->packets, scene->packets);
	__sync_fetch_and_add(&sighting->bytes, scene->bytes);
	sighting->last = now;
}

static inline __attribute__((always_inline)) enum verdict apply_slot(struct scene *scene, enum hook hook, u32 slot)
{
	struct rule *rule = list_rules.lookup(&slot);

	if (!rule || rule->mode == MODE_NONE)
		return PASS;
	count(LISTED);
	note_sighting(scene, hook, slot);
	return apply(rule, scene, hook, false, END_FAR);
}

/* The slots of the lists that name the packet's far end: a feed's bit each, and one blocked name's. */
struct listing {
	u32 feeds;
	u32 slot; /* 0 for none: it is a feed's */
};

static inline __attribute__((always_inline)) struct listing find_listing(struct config *settings, struct packet *packet,
									 struct address *far)
{
	u32 which = settings->feeds;
	struct listing found = {};

	if (settings->resolved) {
		struct resolution *resolution = resolved.lookup(far);

		if (resolution && bpf_ktime_get_boot_ns() < resolution->expires) {
			if (resolution->slot < FEED_SLOTS)
				found.feeds = 1 << resolution->slot;
			else
				found.slot = resolution->slot;
		}
	}
	if (which)
		found.feeds |= packet->family == 4 ? feeds_with_ipv4(which, far->part[3]) :
						     feeds_with_ipv6(which, far);
	return found;
}

/* The verdict on a packet to or from a host of the internet that a list may name. */
static inline __attribute__((always_inline)) enum verdict judge_lists(struct config *settings, struct scene *scene,
								      enum hook hook)
{
	struct packet *packet = &scene->packet;
	struct listing found;
	u32 step;

	if (!packet->family)
		return PASS;
	found = find_listing(settings, packet, direction_at(hook) == UPLOAD ? &packet->destination : &packet->source);
	if (!found.feeds && !found.slot)
		return PASS;
	look_around(settings, scene, hook);
#pragma clang loop unroll(disable)
	for (step = 0; step <= FEED_SLOTS; step++) {
		u32 slot = step < FEED_SLOTS ? step : found.slot;

		if (step < FEED_SLOTS ? found.feeds >> step & 1 : found.slot != 0)
			if (apply_slot(scene, hook, slot) == DROP)
				return DROP;
	}
	return PASS;
}

#endif
