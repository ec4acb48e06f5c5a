/* SPDX-License-Identifier: GPL-2.0 */
/* Flows: who talks with whom, seen from a device of the home, and what was counted of it. */
#ifndef HEARTHWALL_FLOW_H
#define HEARTHWALL_FLOW_H

#include "verdict.h"

/* Of TCP, so much of a stream may be sampled before its first bytes have come. */
#define WINDOW_OPEN 4096

#define NO_ANSWER 256

/* The type that answers a type of ICMP, so that question and answer are one flow (Community ID). */
static inline __attribute__((always_inline)) u32 icmp_answer(u8 family, u8 type)
{
	if (family == 4) {
		if (type == 0 || type == 8) /* echo */
			return type ^ 8;
		if (type == 9 || type == 10) /* router advertisement, solicitation */
			return type ^ 3;
		if (type == 13 || type == 14) /* timestamp */
			return type ^ 3;
		if (type == 15 || type == 16) /* information */
			return type ^ 31;
		if (type == 17 || type == 18) /* address mask */
			return type ^ 3;
		return NO_ANSWER;
	}
	if (type == 128 || type == 129 || type == 130 || type == 131) /* echo; multicast listeners */
		return type ^ 1;
	if (type == 144 || type == 145) /* home agents */
		return type ^ 1;
	if (type == 133 || type == 134 || type == 135 || type == 136) /* routers; neighbours */
		return type & 1 ? type + 1 : type - 1;
	if (type == 139 || type == 140) /* node information */
		return type ^ 7;
	return NO_ANSWER;
}

/* Whether a packet's type of ICMP is known, and it is that of its family. */
static inline __attribute__((always_inline)) bool has_icmp(struct packet *packet)
{
	return packet->has_transport && packet->protocol == (packet->family == 4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6);
}

static inline __attribute__((always_inline)) void name_flow(struct flow_key *key, struct packet *packet,
							    enum direction direction)
{
	u16 source = packet->source_port, destination = packet->destination_port;

	key->protocol = packet->protocol;
	key->one_way = 0;
	if (has_icmp(packet)) {
		u32 answer = icmp_answer(packet->family, packet->icmp_type);

		source = packet->icmp_type;
		destination = answer;
		if (answer == NO_ANSWER) {
			destination = packet->icmp_code;
			key->one_way = 1 + direction;
		}
	}
	if (direction == UPLOAD) {
		__builtin_memcpy(key->mac, packet->source_mac.byte, 6);
		key->port = source;
		key->peer_port = destination;
		key->address = packet->source;
		key->peer = packet->destination;
	} else {
		__builtin_memcpy(key->mac, packet->destination_mac.byte, 6);
		key->port = destination;
		key->peer_port = source;
		key->address = packet->destination;
		key->peer = packet->source;
	}
}

/* Lets the scene know the time, exact to a tick of the kernel: asking the clock costs as much as counting. */
static inline __attribute__((always_inline)) void look_at_clock(struct scene *scene)
{
	u64 tick = bpf_jiffies64();

	if (scene->tick != tick) {
		scene->tick = tick;
		scene->now = bpf_ktime_get_boot_ns();
	}
}

static inline __attribute__((always_inline)) struct flow *find_flow(struct scene *scene, struct flow_key *key,
								    enum direction direction)
{
	struct flow *found = flows.lookup(key);
	struct flow fresh = {};

	if (found)
		return found;
	/* Exactly: who looks for what has begun since the last time must not miss it. */
	scene->now = bpf_ktime_get_boot_ns();
	fresh.first = scene->now;
	fresh.opener = direction;
	if (!flows.insert(key, &fresh)) /* else another CPU was faster, or nothing could give way */
		count(FLOWS_CREATED);
	return flows.lookup(key);
}

/* A port that is used again after its connection has ended: what was counted stays. */
static inline __attribute__((always_inline)) void begin_anew(struct way *way)
{
	way->start = 0;
	way->window = 0;
	way->sampled = 0;
	way->flags = 0;
}

static inline __attribute__((always_inline)) void follow_connection(struct flow *flow, struct way *way,
								    struct packet *packet, enum direction direction)
{
	u8 flags = packet->tcp_flags;

	if (flags & TCP_SYN) {
		if (!(flags & TCP_ACK)) {
			if ((flow->ways[UPLOAD].flags | flow->ways[DOWNLOAD].flags) & (TCP_FIN | TCP_RST)) {
				begin_anew(&flow->ways[UPLOAD]);
				begin_anew(&flow->ways[DOWNLOAD]);
			}
			flow->opener = direction;
		}
		way->start = packet->sequence + 1;
		way->window = WINDOW_OPEN;
	}
	way->flags |= flags;
}

/* Counts a packet for its flow; NULL where there is no room for one. */
static inline __attribute__((always_inline)) struct flow *count_flow(struct scene *scene, struct flow_key *key,
								     u32 interface, enum direction direction)
{
	struct packet *packet = &scene->packet;
	struct flow *flow;
	struct way *way;

	look_at_clock(scene);
	name_flow(key, packet, direction);
	flow = find_flow(scene, key, direction);
	if (!flow)
		return NULL;
	way = direction == UPLOAD ? &flow->ways[UPLOAD] : &flow->ways[DOWNLOAD];
	__sync_fetch_and_add(&way->bytes, scene->bytes);
	__sync_fetch_and_add(&way->packets, scene->packets);
	if (scene->now > flow->last) /* another CPU may have looked later */
		flow->last = scene->now;
	flow->interface = interface;
	if (packet->protocol == PROTOCOL_TCP && packet->has_transport)
		follow_connection(flow, way, packet, direction);
	return flow;
}

#endif
