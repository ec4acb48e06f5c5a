/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The meter: tc on both ways through a port. Counts each device's traffic and flows, copies packets that
 * say something, and enforces what XDP does not: towards the device, on a port whose gate is not up, and
 * all that is judged per flow.
 */
#include "verdict.h"
#include "lists.h"
#include "flow.h"
#include "sample.h"

#define TC_ACT_NEXT (-1) /* let programs of others see the packet too */
#define TC_ACT_DROP 2

/* As much as the headers that the meter reads may take. */
#define HEADERS 128

/* Wire bytes and packets: a super-packet of segmentation offload is on the wire many packets with a header each. */
static inline __attribute__((always_inline)) struct counter weigh(struct __sk_buff *skb, struct packet *packet)
{
	struct counter wire = { skb->len, 1 };
	u32 segment = skb->gso_size;

	if (segment && skb->len > packet->header_bytes) {
		wire.packets = (skb->len - packet->header_bytes + segment - 1) / segment;
		wire.bytes += (wire.packets - 1) * packet->header_bytes;
	}
	if (skb->vlan_present) /* the card took the tag out of the frame */
		wire.bytes += wire.packets * sizeof(struct vlan_tag);
	return wire;
}

static inline __attribute__((always_inline)) enum scope scope_of(struct config *settings, struct packet *packet,
								 struct address *peer)
{
	if (!packet->family)
		return SCOPE_LAN;
	if (!is_home(settings, peer))
		return SCOPE_INTERNET;
	return role_of(peer) & ROLE_SELF ? SCOPE_GATEWAY : SCOPE_LAN;
}

/* A new device begins with its first upload: nobody can make one up by sending to it. */
static inline __attribute__((always_inline)) struct device *find_device(struct device_key *key, enum direction direction)
{
	struct device *found = devices.lookup(key);
	struct device fresh = {};

	if (found || direction == DOWNLOAD)
		return found;
	fresh.created = bpf_ktime_get_boot_ns();
	count(devices.update(key, &fresh) ? DEVICES_REFUSED : DEVICES_CREATED);
	return devices.lookup(key);
}

/* Counts a packet for its device; NULL where there is no such device. */
static inline __attribute__((always_inline)) struct device *account(struct __sk_buff *skb, struct config *settings,
								    struct scene *scene, enum direction direction)
{
	struct device_key key = { .interface = skb->ifindex };
	struct packet *packet = &scene->packet;
	struct counter *counter;
	struct device *device;
	enum scope scope;

	__builtin_memcpy(key.mac, (direction == UPLOAD ? &packet->source_mac : &packet->destination_mac)->byte, 6);
	if (key.mac[0] & 1) /* a group's, no device's */
		return NULL;
	device = find_device(&key, direction);
	if (!device)
		return NULL;
	scope = scope_of(settings, packet, direction == UPLOAD ? &packet->destination : &packet->source);
	counter = direction == UPLOAD ? &device->upload[scope] : &device->download[scope];
	counter->bytes += scene->bytes;
	counter->packets += scene->packets;
	return device;
}

static inline __attribute__((always_inline)) enum statistic drop_statistic(enum hook hook)
{
	if (hook == FROM_LAN)
		return DROPPED_INGRESS;
	return hook == TO_LAN ? DROPPED_EGRESS : DROPPED_WAN;
}

/*
 * Whether the headers go on behind what lies in one piece. They seldom do, and pulling them costs more
 * than all the rest: the kernel copies what the packet shares with its sender's queue.
 */
static inline __attribute__((always_inline)) bool is_cut_off(struct __sk_buff *skb, struct link link, void *data,
							     void *end)
{
	struct ipv4 *ip4 = data + link.offset;
	struct ipv6 *ip6 = data + link.offset;
	u32 wanted = 64; /* of what is rare: options and extension headers */

	if (end - data >= skb->len || end - data >= HEADERS)
		return false;
	if (link.ethertype == ETHERTYPE_IPV4) {
		if ((void *)(ip4 + 1) > end)
			return true;
		if (ip4->version_and_length == 0x45)
			wanted = sizeof(*ip4) + (ip4->protocol == PROTOCOL_TCP ? sizeof(struct tcp) : 8);
	} else if (link.ethertype == ETHERTYPE_IPV6) {
		if ((void *)(ip6 + 1) > end)
			return true;
		if (ip6->next_header == PROTOCOL_TCP)
			wanted = sizeof(*ip6) + sizeof(struct tcp);
		else if (ip6->next_header == PROTOCOL_UDP)
			wanted = sizeof(*ip6) + 8;
	} else {
		wanted = sizeof(struct vlan_tag) * MAX_VLAN_TAGS;
	}
	return data + link.offset + wanted > end;
}

/* The rest of the way, one program for all hooks: the verdict where a rule or a list may concern a packet (or a
 * part of each program, see tables.h), and what is counted and copied of one that passes on the home's side. */
#define STEP_JUDGE 0
#define STEP_OBSERVE 1
BPF_PROG_ARRAY(meter_steps, 2);

/* What becomes of a packet that passes. */
static inline __attribute__((always_inline)) int pass(struct __sk_buff *skb, enum hook hook)
{
	if (hook == FROM_LAN || hook == TO_LAN)
		meter_steps.call(skb, STEP_OBSERVE);
	return TC_ACT_NEXT;
}

static inline __attribute__((always_inline)) int meter_verdict(struct __sk_buff *skb)
{
	struct scene *scene = current_scene();
	struct config *settings;
	enum verdict verdict;
	u32 zero = 0;

	settings = config.lookup(&zero);
	if (!settings || !scene)
		return TC_ACT_NEXT;
	look_around(settings, scene);
	verdict = judge(scene, false);
	if (verdict == PASS)
		verdict = judge_lists(scene);
	if (verdict == DROP) {
		count(drop_statistic(scene->hook));
		return TC_ACT_DROP;
	}
	if (verdict == REDIRECT) {
		count(REDIRECTED);
		return bpf_redirect(scene->interface, 0);
	}
	return pass(skb, scene->hook);
}

int meter_judge(struct __sk_buff *skb)
{
	return meter_verdict(skb);
}

static inline __attribute__((always_inline)) int meter(struct __sk_buff *skb, enum hook hook)
{
	struct config *settings;
	struct counter wire;
	struct scene *scene;
	struct link link;
	u32 zero = 0;
	void *data, *end;

	settings = config.lookup(&zero);
	scene = new_scene(hook);
	if (!settings || !scene)
		return TC_ACT_NEXT;
	data = (void *)(long)skb->data;
	end = (void *)(long)skb->data_end;
	link = read_link(data, end);
	if (is_cut_off(skb, link, data, end)) {
		bpf_skb_pull_data(skb, skb->len < HEADERS ? skb->len : HEADERS);
		data = (void *)(long)skb->data;
		end = (void *)(long)skb->data_end;
		link = read_link(data, end);
	}
	if (!link.offset)
		return TC_ACT_NEXT;
	read_packet(&scene->packet, link, data, end);
	wire = weigh(skb, &scene->packet);
	scene->packets = wire.packets;
	scene->bytes = wire.bytes;
	scene->asked = candidates(settings, &scene->packet, hook);
	find_lists(settings, scene, hook);
	if (scene->asked | scene->feeds | scene->slot) {
#ifdef WHOLE_PROGRAMS
		return meter_verdict(skb);
#else
		meter_steps.call(skb, STEP_JUDGE);
#endif
	}
	return pass(skb, hook);
}

int meter_observe(struct __sk_buff *skb)
{
	struct scene *scene = current_scene();
	struct flow_key key = {};
	struct config *settings;
	struct device *device;
	enum direction direction;
	struct flow *flow;
	u32 zero = 0;

	settings = config.lookup(&zero);
	if (!settings || !scene)
		return TC_ACT_NEXT;
	direction = scene->way ? DOWNLOAD : UPLOAD;
	device = account(skb, settings, scene, direction);
	if (!device)
		return TC_ACT_NEXT;
	if (!scene->packet.family) {
		if (settings->sample)
			sample_arp(skb, scene, device, &key);
		return TC_ACT_NEXT;
	}
	flow = count_flow(scene, &key, skb->ifindex, direction);
	if (flow && settings->sample)
		sample_flow(skb, scene, device, &key, flow);
	return TC_ACT_NEXT;
}

int meter_ingress(struct __sk_buff *skb)
{
	return meter(skb, FROM_LAN);
}

int meter_egress(struct __sk_buff *skb)
{
	return meter(skb, TO_LAN);
}

int wan_ingress(struct __sk_buff *skb)
{
	return meter(skb, FROM_WAN);
}

int wan_egress(struct __sk_buff *skb)
{
	return meter(skb, TO_WAN);
}
