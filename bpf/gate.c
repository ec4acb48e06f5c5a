/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The gate: XDP on a port's ingress, where what is forbidden dies first and costs least.
 *
 * It is on a port only while something needs it there, and knows only what must die early: rules that
 * cut off a MAC, an address or a prefix, and floods. The meter sees what passes.
 */
#include "verdict.h"
#include "flood.h"

static inline __attribute__((always_inline)) bool watches_floods(struct config *settings, enum side side)
{
	u32 *cost = settings->flood_cost + side * FLOOD_KINDS;

	return (cost[FLOOD_SYN] | cost[FLOOD_UDP] | cost[FLOOD_ICMP]) != 0;
}

static inline __attribute__((always_inline)) int judge_early(struct config *settings, struct packet *link, void *data,
							     void *end, u32 offset, enum side side)
{
	bool floods = watches_floods(settings, side);
	struct filters *bits;
	struct scene *scene;
	u32 zero = 0;

	bits = filters.lookup(&zero);
	if (!bits)
		return XDP_PASS;
	if (!floods && !may_concern(settings, bits, data, end, offset, link, side == SIDE_LAN))
		return XDP_PASS;
	scene = new_scene();
	if (!scene)
		return XDP_PASS;
	scene->packet = *link;
	scene->packets = 1;
	scene->bytes = end - data;
	read_network(data, end, offset, &scene->packet);
	if (floods && flood_drops(settings, scene, side))
		return XDP_DROP;
	if (judge(settings, scene, side == SIDE_LAN ? FROM_LAN : FROM_WAN, true) != DROP)
		return XDP_PASS;
	count(side == SIDE_LAN ? DROPPED_GATE : DROPPED_WAN);
	return XDP_DROP;
}

static inline __attribute__((always_inline)) int gate_at(struct xdp_md *context, enum side side)
{
	void *data = (void *)(long)context->data;
	void *end = (void *)(long)context->data_end;
	struct packet packet = {};
	struct config *settings;
	u32 zero = 0, offset;

	settings = config.lookup(&zero);
	if (!settings)
		return XDP_PASS;
	offset = read_link(data, end, &packet);
	return offset ? judge_early(settings, &packet, data, end, offset, side) : XDP_PASS;
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
	struct vlan vlan = { .interface = context->ingress_ifindex };
	struct packet packet = {};
	struct config *settings;
	u32 zero = 0, offset, *role;

	settings = config.lookup(&zero);
	if (!settings)
		return XDP_PASS;
	offset = read_link(data, end, &packet);
	if (!offset || !packet.vlan)
		return XDP_PASS;
	vlan.id = packet.vlan;
	role = vlans.lookup(&vlan);
	if (!role)
		return XDP_PASS;
	if (*role == 2)
		return judge_early(settings, &packet, data, end, offset, SIDE_WAN);
	return judge_early(settings, &packet, data, end, offset, SIDE_LAN);
}
