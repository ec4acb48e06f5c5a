/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The meter: tc on both ways through a LAN-side port. Counts each device's traffic and
 * enforces the rules where XDP does not reach: towards the device, and on a port whose
 * gate is not up yet.
 */
#include "verdict.h"

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

static inline __attribute__((always_inline)) int meter(struct __sk_buff *skb, enum direction direction)
{
	struct packet packet = {};
	struct device_key key = {};
	struct counter wire, *counter;
	struct config *settings;
	struct device *device;
	u32 zero = 0, offset;
	enum scope scope;
	void *data, *end;

	settings = config.lookup(&zero);
	if (!settings)
		return TC_ACT_NEXT;
	data = (void *)(long)skb->data;
	end = (void *)(long)skb->data_end;
	if (data + HEADERS > end && end - data < skb->len) { /* the headers lie in pages of their own */
		bpf_skb_pull_data(skb, skb->len < HEADERS ? skb->len : HEADERS);
		data = (void *)(long)skb->data;
		end = (void *)(long)skb->data_end;
	}
	offset = read_link(data, end, &packet);
	if (!offset)
		return TC_ACT_NEXT;
	read_network(data, end, offset, &packet);
	wire = weigh(skb, &packet);
	if (is_dropped(settings, data, end, offset, &packet, direction, wire.packets, wire.bytes)) {
		count(direction == UPLOAD ? DROPPED_INGRESS : DROPPED_EGRESS);
		return TC_ACT_DROP;
	}
	__builtin_memcpy(key.mac, (direction == UPLOAD ? &packet.source_mac : &packet.destination_mac)->byte, 6);
	key.interface = skb->ifindex;
	if (key.mac[0] & 1) /* a group's, no device's */
		return TC_ACT_NEXT;
	device = find_device(&key, direction);
	if (!device)
		return TC_ACT_NEXT;
	scope = scope_of(settings, &packet, direction == UPLOAD ? &packet.destination : &packet.source);
	counter = direction == UPLOAD ? &device->upload[scope] : &device->download[scope];
	counter->bytes += wire.bytes;
	counter->packets += wire.packets;
	return TC_ACT_NEXT;
}

int meter_ingress(struct __sk_buff *skb)
{
	return meter(skb, UPLOAD);
}

int meter_egress(struct __sk_buff *skb)
{
	return meter(skb, DOWNLOAD);
}
