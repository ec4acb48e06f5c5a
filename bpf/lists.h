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
static inline __attribute__((always_inline)) void note_sighting(struct scene *scene)
{
	struct sighting_key key = { .peer = scene->far.address };
	u64 now = bpf_ktime_get_boot_ns();
	struct sighting *sighting;

	if (scene->hook & (FROM_LAN | TO_LAN))
		__builtin_memcpy(key.mac, scene->device.byte, 6);
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
	if (direction_at(scene->hook) == UPLOAD)
		__sync_fetch_and_add(&sighting->sent, scene->packets);
	sighting->last = now;
	sighting->feeds |= scene->feeds;
}

static inline __attribute__((always_inline)) enum verdict apply_slot(struct scene *scene, u32 slot)
{
	struct rule *rule = list_rules.lookup(&slot);

	return rule ? apply(rule, scene, false, END_FAR) : PASS;
}

/* Finds the lists that name the packet's far end; nearly always none. */
static inline __attribute__((always_inline)) void find_lists(struct config *settings, struct scene *scene,
							     enum hook hook)
{
	struct packet *packet = &scene->packet;
	struct address *far = direction_at(hook) == UPLOAD ? &packet->destination : &packet->source;

	if (!packet->family)
		return;
	if (settings->resolved) {
		struct resolution *resolution = resolved.lookup(far);

		if (resolution && bpf_ktime_get_boot_ns() < resolution->expires) {
			if (resolution->slot < FEED_SLOTS)
				scene->feeds = 1 << resolution->slot;
			else
				scene->slot = resolution->slot;
		}
	}
	if (settings->feeds)
		scene->feeds |= packet->family == 4 ? feeds_with_ipv4(settings->feeds, far->part[3]) :
						      feeds_with_ipv6(settings->feeds, far);
}

/* The verdict of the lists that `find_lists` has found. */
static inline __attribute__((always_inline)) enum verdict judge_lists(struct scene *scene)
{
	u32 step;

	if (!scene->feeds && !scene->slot)
		return PASS;
	count(LISTED);
	if (scene->feeds)
		note_sighting(scene);
#pragma clang loop unroll(disable)
	for (step = 0; step <= FEED_SLOTS; step++) {
		u32 slot = step < FEED_SLOTS ? step : scene->slot;

		if (step < FEED_SLOTS ? scene->feeds >> step & 1 : slot != 0)
			if (apply_slot(scene, slot) == DROP)
				return DROP;
	}
	return PASS;
}

#endif
