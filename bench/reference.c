/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What Hearthwall's programs are measured against, and with: the least that XDP and tc can do, the obvious
 * ways to write a filter, a generator of frames and a sink for them.
 */
#include "wire.h"

#define RULES 16384
#define DEVICES 1024
#define FRAME 64

struct prefix {
	u32 length;
	__be32 address;
};

/* What the generator sends: a frame of IPv4 and UDP. */
struct template {
	u64 sent;
	u64 flows;
	u8 frame[FRAME];
};

struct traffic {
	u64 bytes;
	u64 packets;
};

BPF_HASH(macs, struct mac, u64, RULES);
BPF_HASH(addresses, __be32, u64, RULES);
BPF_LPM_TRIE(prefixes, struct prefix, u64, RULES);
BPF_TABLE("lru_percpu_hash", struct mac, struct traffic, devices, DEVICES);
BPF_ARRAY(arrived, u64, 1);
BPF_ARRAY(template, struct template, 1);
BPF_PROG_ARRAY(rotated, 1);
BPF_PROG_ARRAY(rotated_flows, 1);
BPF_DEVMAP(way_out, 1);

int empty(struct xdp_md *context)
{
	return XDP_PASS;
}

int drop_everything(struct xdp_md *context)
{
	return XDP_DROP;
}

/* The headers of an IPv4 frame, or NULL for any other. */
static inline __attribute__((always_inline)) struct ipv4 *ipv4_of(struct xdp_md *context)
{
	struct ethernet *ethernet = (void *)(long)context->data;
	struct ipv4 *ip = (void *)(ethernet + 1);

	if ((void *)(ip + 1) > (void *)(long)context->data_end || ethernet->type != bpf_htons(ETHERTYPE_IPV4))
		return NULL;
	return ip;
}

/* One table: the least that a filter of addresses can be. */
int single_hash(struct xdp_md *context)
{
	struct ipv4 *ip = ipv4_of(context);
	__be32 source;

	if (!ip)
		return XDP_PASS;
	source = ip->source;
	return addresses.lookup(&source) ? XDP_DROP : XDP_PASS;
}

/* Each table is asked in turn, as the first version of most filters does it. */
int naive_chain(struct xdp_md *context)
{
	struct ethernet *ethernet = (void *)(long)context->data;
	struct ipv4 *ip = ipv4_of(context);
	struct prefix prefix = { .length = 32 };
	struct mac mac = {};
	__be32 address;

	if (!ip || (void *)(ethernet + 1) > (void *)(long)context->data_end)
		return XDP_PASS;
	copy_mac(&mac, ethernet->source);
	if (macs.lookup(&mac))
		return XDP_DROP;
	address = ip->source;
	if (addresses.lookup(&address))
		return XDP_DROP;
	address = ip->destination;
	if (addresses.lookup(&address))
		return XDP_DROP;
	prefix.address = ip->source;
	return prefixes.lookup(&prefix) ? XDP_DROP : XDP_PASS;
}

/* Bytes and packets of each device, and nothing else: what accounting in tc costs at least. */
static inline __attribute__((always_inline)) int account(struct __sk_buff *skb, u32 at)
{
	struct traffic *found, fresh = {};
	struct mac mac = {};

	if (bpf_skb_load_bytes(skb, at, mac.byte, sizeof(mac.byte)))
		return -1;
	found = devices.lookup(&mac);
	if (!found) {
		devices.update(&mac, &fresh);
		found = devices.lookup(&mac);
		if (!found)
			return -1;
	}
	found->bytes += skb->len;
	found->packets += skb->gso_segs ? skb->gso_segs : 1;
	return -1;
}

int count_ingress(struct __sk_buff *skb)
{
	return account(skb, 6);
}

int count_egress(struct __sk_buff *skb)
{
	return account(skb, 0);
}

/* The far end of a measurement: counts what arrives, and drops it. */
int sink(struct __sk_buff *skb)
{
	u32 zero = 0;
	u64 *packets = arrived.lookup(&zero);

	if (packets)
		*packets += 1;
	return 2;
}

/* Writes the whole frame anew each time: the kernel hands out pages that receivers have changed. */
int generate(struct xdp_md *context)
{
	void *data = (void *)(long)context->data;
	struct template *wanted;
	struct ports *ports;
	u32 zero = 0;

	wanted = template.lookup(&zero);
	if (!wanted || data + FRAME > (void *)(long)context->data_end)
		return XDP_DROP;
	__builtin_memcpy(data, wanted->frame, FRAME);
	ports = data + sizeof(struct ethernet) + sizeof(struct ipv4);
	if (wanted->flows > 1)
		ports->source = bpf_htons(1024 + wanted->sent % wanted->flows);
	wanted->sent++;
	return way_out.redirect_map(0, 0);
}

/* Gives each run another source of 65,536 before the program that is measured: no table stays in the cache. */
int rotate(struct xdp_md *context)
{
	struct ethernet *ethernet = (void *)(long)context->data;
	struct ipv4 *ip = ipv4_of(context);
	struct template *wanted;
	u32 zero = 0, number;

	wanted = template.lookup(&zero);
	if (!wanted || !ip || (void *)(ethernet + 1) > (void *)(long)context->data_end)
		return XDP_ABORTED;
	number = (u32)(wanted->sent++ & 0xffff) * 0x9E3779B1u; /* all over the addresses, in no order */
	ip->source = number;
	__builtin_memcpy(ethernet->source + 2, &number, sizeof(number));
	rotated.call(context, 0);
	return XDP_ABORTED;
}

/* The same in tc, with another port of the frame's source or destination: each run belongs to another flow. */
static inline __attribute__((always_inline)) int rotate_port(struct __sk_buff *skb, u32 at)
{
	void *data = (void *)(long)skb->data;
	u16 *port = data + sizeof(struct ethernet) + sizeof(struct ipv4) + at;
	struct template *wanted;
	u32 zero = 0;

	wanted = template.lookup(&zero);
	if (!wanted || (void *)(port + 1) > (void *)(long)skb->data_end)
		return 2;
	*port = (u16)(wanted->sent++ * 0x9E37); /* odd: it meets all ports, in no order */
	rotated_flows.call(skb, 0);
	return 2;
}

int rotate_source_port(struct __sk_buff *skb)
{
	return rotate_port(skb, 0);
}

int rotate_destination_port(struct __sk_buff *skb)
{
	return rotate_port(skb, sizeof(u16));
}
