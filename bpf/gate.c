/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The gate: XDP on a port's ingress, where what is forbidden dies first and costs least.
 *
 * It is on a port only while something needs it there, and knows only what must die early: rules that
 * cut off a MAC, an address or a prefix, and floods. The meter sees what passes.
 */
#include "verdict.h"
#include "fastlane.h"
#include "flood.h"

static inline __attribute__((always_inline)) bool watches_floods(struct config *settings, enum side side)
{
	u32 *cost = settings->flood_cost + side * FLOOD_KINDS;

	return (cost[FLOOD_SYN] | cost[FLOOD_UDP] | cost[FLOOD_ICMP]) != 0;
}

static inline __attribute__((always_inline)) int judge_early(struct config *settings, struct link link, void *data,
							     void *end, enum side side)
{
	enum hook hook = side == SIDE_LAN ? FROM_LAN : FROM_WAN;
	enum lane lane = choose_lane(settings, link, data, end, hook);
	bool floods = watches_floods(settings, side);
	struct scene *scene;

	if (lane == LANE_PASS && !floods)
		return XDP_PASS;
	if (lane != LANE_DROP) {
		scene = new_scene();
		if (!scene)
			return XDP_PASS;
		read_packet(&scene->packet, link, data, end);
		scene->packets = 1;
		scene->bytes = end - data;
		if (lane == LANE_PASS || judge(settings, scene, hook, true) != DROP) /* a rule's packets are no flood */
			return floods && flood_drops(settings, scene, side) ? XDP_DROP : XDP_PASS;
	}
	count(side == SIDE_LAN ? DROPPED_GATE : DROPPED_WAN);
	return XDP_DROP;
}

static inline __attribute__((always_inline)) int gate_at(struct xdp_md *context, enum side side)
{
	void *data = (void *)(long)context->data;
	void *end = (void *)(long)context->data_end;
	struct link link = read_link(data, end);
	struct config *settings;
	u32 zero = 0;

	settings = config.lookup(&zero);
	if (!settings || !link.offset)
		return XDP_PASS;
	return judge_early(settings, link, data, end, side);
}

int gate(struct xdp_md *context)
{
	return gate_at(context, SIDE_LAN);
}

int gate_wan(struct xdp_md *context)
{
	return gate_at(context, SIDE_WAN);
}

/* On the parent of guarded VLAN interfaces, which take no XDP of their own: what has another tag is not ours. */
int gate_vlan(struct xdp_md *context)
{
	void *data = (void *)(long)context->data;
	void *end = (void *)(long)context->data_end;
	struct link link = read_link(data, end);
	struct vlan vlan = { context->ingress_ifindex, link.vlan };
	struct config *settings;
	u32 zero = 0, *role;

	settings = config.lookup(&zero);
	if (!settings || !link.offset || !link.vlan)
		return XDP_PASS;
	role = vlans.lookup(&vlan);
	if (!role)
		return XDP_PASS;
	if (*role == 2)
		return judge_early(settings, link, data, end, SIDE_WAN);
	return judge_early(settings, link, data, end, SIDE_LAN);
}
