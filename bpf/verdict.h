/* SPDX-License-Identifier: GPL-2.0 */
/* One verdict for XDP and tc alike: does a rule drop this packet? */
#ifndef HEARTHWALL_VERDICT_H
#define HEARTHWALL_VERDICT_H

#include "wire.h"
#include "tables.h"

/* The longest ARP frame: padded to Ethernet's least length, with two tags. */
#define MAX_ARP_FRAME 68

/* The device's packet on its way to its port's far side, or one that reaches the device. */
enum direction {
	UPLOAD,
	DOWNLOAD,
};

/* Private, link-local, carrier-grade, multicast and reserved addresses are no internet; nor are home_networks. */
static inline __attribute__((always_inline)) bool is_home(struct config *settings, struct address *address)
{
	struct network network;

	if (address->part[0] == 0 && address->part[1] == 0 && address->part[2] == bpf_htonl(0xffff)) {
		u32 ip = bpf_ntohl(address->part[3]);

		if (ip >> 24 == 10 || ip >> 20 == 0xac1 || ip >> 16 == 0xc0a8 || ip >> 16 == 0xa9fe ||
		    ip >> 22 == 0x191 || ip >> 24 == 127 || ip >> 24 == 0 || ip >= 0xe0000000)
			return true;
	} else {
		u32 ip = bpf_ntohl(address->part[0]);

		if (ip >> 25 == 0xfc >> 1 || ip >> 22 == 0xfe80 >> 6 || ip >> 24 == 0xff)
			return true;
		if (ip == 0 && address->part[1] == 0 && address->part[2] == 0 && bpf_ntohl(address->part[3]) <= 1)
			return true;
	}
	if (!settings->home_networks)
		return false;
	network.prefix_length = 128;
	network.address = *address;
	return home_networks.lookup(&network) != NULL;
}

static inline __attribute__((always_inline)) u32 role_of(struct address *address)
{
	u32 *role = never_drop_addresses.lookup(address);

	return role ? *role : 0;
}

/* What a device needs to hold its place in the home, but not what makes it a router or a DHCP server. */
static inline __attribute__((always_inline)) bool is_addressing(struct packet *packet, enum direction direction,
								bool peer_is_home)
{
	u16 from = packet->source_port, to = packet->destination_port;
	u8 type = packet->icmp_type;

	if (packet->ethertype == ETHERTYPE_ARP) /* a longer one carries something else */
		return packet->length <= MAX_ARP_FRAME;
	if (packet->ethertype == ETHERTYPE_EAPOL)
		return true;
	if (!packet->family || !peer_is_home)
		return false;
	if (packet->protocol == PROTOCOL_UDP) {
		u16 client = packet->family == 4 ? 68 : 546;
		u16 server = packet->family == 4 ? 67 : 547;

		return direction == UPLOAD ? from == client && to == server : from == server && to == client;
	}
	if (packet->protocol != PROTOCOL_ICMPV6 || packet->family != 6)
		return false;
	if (type == 130 || type == 131 || type == 132 || type == 143) /* multicast listener query; reports, done */
		return direction == UPLOAD ? type != 130 : type == 130;
	if (packet->hop_limit != 255) /* it came over a router, which neighbours do not */
		return false;
	if (type == 135 || type == 136) /* neighbour solicitation and advertisement */
		return true;
	return direction == UPLOAD ? type == 133 : type == 134 || type == 137; /* router solicitation; its answers */
}

static inline __attribute__((always_inline)) bool is_dns(struct packet *packet, enum direction direction,
							 bool peer_is_home)
{
	if (!packet->family || !peer_is_home)
		return false;
	if (packet->protocol != PROTOCOL_UDP && packet->protocol != PROTOCOL_TCP)
		return false;
	return (direction == UPLOAD ? packet->destination_port : packet->source_port) == 53;
}

/* Whether a packet between a rule's target (NULL for a MAC's) and its peer dies by the rule. */
static inline __attribute__((always_inline)) bool rule_drops(struct rule *rule, struct config *settings,
							     struct packet *packet, enum direction direction,
							     struct address *target, struct address *peer)
{
	bool peer_is_home;

	if (!packet->family) {
		/* No address to go by: ARP and the like stay in the home, a mangled IP packet may not. */
		if (rule->mode == MODE_NO_INTERNET)
			return packet->ethertype == ETHERTYPE_IPV4 || packet->ethertype == ETHERTYPE_IPV6 ||
			       packet->ethertype == ETHERTYPE_PPPOE_DISCOVERY ||
			       packet->ethertype == ETHERTYPE_PPPOE_SESSION;
		return !(rule->allow & ALLOW_ADDRESSING && is_addressing(packet, direction, true));
	}
	peer_is_home = is_home(settings, peer);
	if (rule->mode == MODE_NO_INTERNET)
		return !peer_is_home;
	if (target && !is_home(settings, target)) /* a host of the internet needs nothing of the home */
		return true;
	if (rule->allow & ALLOW_ADDRESSING && is_addressing(packet, direction, peer_is_home))
		return false;
	if (rule->allow & ALLOW_DNS && is_dns(packet, direction, peer_is_home))
		return false;
	if (rule->allow & ALLOW_HOME_ASSISTANT && role_of(peer) & ROLE_HOME_ASSISTANT)
		return false;
	return true;
}

static inline __attribute__((always_inline)) bool hit(struct rule *rule, u32 packets, u32 bytes, u64 now)
{
	__sync_fetch_and_add(&rule->packets, packets);
	__sync_fetch_and_add(&rule->bytes, bytes);
	if (!rule->first_hit)
		rule->first_hit = now;
	rule->last_hit = now;
	return true;
}

static inline __attribute__((always_inline)) struct rule *find_address_rule(struct config *settings,
									   struct packet *packet,
									   struct address *address)
{
	if (packet->family == 4)
		return settings->ipv4_rules ? ipv4_rules.lookup(&address->part[3]) : NULL;
	return settings->ipv6_rules ? ipv6_rules.lookup(address) : NULL;
}

/*
 * The verdict on a packet whose link header has been read; reads the rest only if a rule may need it.
 *
 * The never-drop set stands above every rule. It is asked only when a rule is about to drop, which
 * gives the same answer as asking first and costs a packet that meets no rule nothing.
 */
static inline __attribute__((always_inline)) bool is_dropped(struct config *settings, void *data, void *end, u32 offset,
							     struct packet *packet, enum direction direction,
							     u32 packets, u32 bytes)
{
	struct mac *device = direction == UPLOAD ? &packet->source_mac : &packet->destination_mac;
	struct address *near, *far;
	struct rule *rule = NULL;
	u64 now = 0;

	if (settings->mac_rules)
		rule = mac_rules.lookup(device);
	if (!rule && !settings->ipv4_rules && !settings->ipv6_rules)
		return false;
	if (!packet->family)
		read_network(data, end, offset, packet);
	near = direction == UPLOAD ? &packet->source : &packet->destination;
	far = direction == UPLOAD ? &packet->destination : &packet->source;
	if (rule) {
		now = bpf_ktime_get_boot_ns();
		if ((!rule->expires || now < rule->expires) &&
		    rule_drops(rule, settings, packet, direction, NULL, far) && !never_drop_macs.lookup(device))
			return hit(rule, packets, bytes, now);
	}
	if (!packet->family)
		return false;
	rule = find_address_rule(settings, packet, near);
	if (rule) {
		now = bpf_ktime_get_boot_ns();
		if ((!rule->expires || now < rule->expires) &&
		    rule_drops(rule, settings, packet, direction, near, far) && !role_of(near))
			return hit(rule, packets, bytes, now);
	}
	rule = find_address_rule(settings, packet, far);
	if (rule) {
		/* Seen from the target, the packet goes the other way. */
		now = bpf_ktime_get_boot_ns();
		if ((!rule->expires || now < rule->expires) &&
		    rule_drops(rule, settings, packet, direction == UPLOAD ? DOWNLOAD : UPLOAD, far, near) &&
		    !role_of(far))
			return hit(rule, packets, bytes, now);
	}
	return false;
}

#endif
