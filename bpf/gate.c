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

/* The rest of the way, for what needs a closer look: one program for all gates, or a part of each (see tables.h). */
BPF_PROG_ARRAY(gate_steps, 1);

static inline __attribute__((always_inline)) int gate_verdict(struct xdp_md *context)
{
	void *data = (void *)(long)context->data;
	void *end = (void *)(long)context->data_end;
	struct link link = read_link(data, end);
	struct scene *scene = current_scene();
	struct config *settings;
	u32 zero = 0;
	enum side side;

	settings = config.lookup(&zero);
	if (!settings || !scene || !link.offset)
		return XDP_PASS;
	side = scene->hook == FROM_WAN ? SIDE_WAN : SIDE_LAN;
	read_packet(&scene->packet, link, data, end);
	scene->packets = 1;
	scene->bytes = end - data;
	scene->asked = candidates(settings, &scene->packet, scene->hook);
	if (scene->asked) {
		look_around(settings, scene);
		if (judge(scene, true) == DROP) {
			count(side == SIDE_LAN ? DROPPED_GATE : DROPPED_WAN);
			return XDP_DROP;
		}
	}
	/* What a rule drops is no flood, in the fast lane or here. */
	return watches_floods(settings, side) && flood_drops(settings, scene, side) ? XDP_DROP : XDP_PASS;
}

int gate_judge(struct xdp_md *context)
{
	return gate_verdict(context);
}

static inline __attribute__((always_inline)) int look_closer(struct xdp_md *context)
{
#ifdef WHOLE_PROGRAMS
	return gate_verdict(context);
#else
	gate_steps.call(context, 0);
	return XDP_PASS;
#endif
}

static inline __attribute__((always_inline)) int gate_at(struct xdp_md *context, enum side side)
{
	void *data = (void *)(long)context->data;
	void *end = (void *)(long)context->data_end;
	enum hook hook = side == SIDE_LAN ? FROM_LAN : FROM_WAN;
	struct link link = read_link(data, end);
	struct config *settings;
	u32 zero = 0;
	enum lane lane;

	settings = config.lookup(&zero);
	if (!settings || !link.offset)
		return XDP_PASS;
	lane = choose_lane(settings, link, data, end, hook);
	if (lane == LANE_DROP) {
		count(side == SIDE_LAN ? DROPPED_GATE : DROPPED_WAN);
		return XDP_DROP;
	}
	if ((lane == LANE_SLOW || watches_floods(settings, side)) && new_scene(hook))
		return look_closer(context);
	return XDP_PASS;
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
	u32 *role;

	if (!link.offset || !link.vlan)
		return XDP_PASS;
	role = vlans.lookup(&vlan);
	if (role && new_scene(*role == 2 ? FROM_WAN : FROM_LAN))
		return look_closer(context);
	return XDP_PASS;
}
