/* SPDX-License-Identifier: GPL-2.0 */
/* Flood defence: a source that sends more than its threshold is dropped above it. */
#ifndef HEARTHWALL_FLOOD_H
#define HEARTHWALL_FLOOD_H

#include "verdict.h"

/* As much as a source may send beyond its rate before it counts as a flood: a second's worth. */
#define FLOOD_TOLERANCE 1000000000ULL

/* The packet's kind, or FLOOD_KINDS for one that floods nobody. */
static inline __attribute__((always_inline)) u32 flood_kind_of(struct packet *packet)
{
	if (packet->protocol == PROTOCOL_TCP)
		return (packet->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN ? FLOOD_SYN : FLOOD_KINDS;
	if (packet->protocol == PROTOCOL_UDP)
		return FLOOD_UDP;
	/* Echoes answer whoever asks: behind NAT all that a home's device pings seem to send to the gateway. */
	if (packet->protocol == PROTOCOL_ICMP && packet->family == 4)
		return packet->has_transport && packet->icmp_type == 0 ? FLOOD_KINDS : FLOOD_ICMP;
	/* As do ICMPv6's, type 129. Neighbours and multicast listeners talk by 130 to 143, and the home depends on it. */
	if (packet->protocol == PROTOCOL_ICMPV6 && packet->family == 6)
		return packet->icmp_type < 129 || packet->icmp_type > 143 ? FLOOD_ICMP : FLOOD_KINDS;
	return FLOOD_KINDS;
}

static inline __attribute__((always_inline)) bool flood_drops(struct config *settings, struct scene *scene,
							      enum side side)
{
	struct packet *packet = &scene->packet;
	struct flood_key key = { .side = side };
	u32 kind = flood_kind_of(packet), cost;
	struct flood *flood;
	u64 now;

	if (!packet->family || kind >= FLOOD_KINDS)
		return false;
	cost = settings->flood_cost[side * FLOOD_KINDS + kind];
	if (!cost)
		return false;
	now = bpf_ktime_get_boot_ns();
	key.kind = kind;
	if (side == SIDE_LAN) /* a device can make up addresses by the thousand, but is one MAC */
		__builtin_memcpy(&key.source, &packet->source_mac, sizeof(struct mac));
	else
		key.source = packet->source;
	flood = floods.lookup(&key);
	if (!flood) {
		struct flood fresh = { .due = now + cost };

		floods.update(&key, &fresh);
		return false;
	}
	if (within(&flood->due, cost, FLOOD_TOLERANCE, now))
		return false;
	if (role_of(&packet->source) || (side == SIDE_LAN && never_drop_macs.lookup(&packet->source_mac)))
		return false;
	__sync_fetch_and_add(&flood->dropped, 1);
	__sync_fetch_and_add(&flood->bytes, scene->bytes);
	if (!flood->first_drop)
		flood->first_drop = now;
	flood->last_drop = now;
	flood->address = packet->source;
	flood->peer = packet->destination;
	count(DROPPED_FLOOD);
	return true;
}

#endif
