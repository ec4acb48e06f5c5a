/* SPDX-License-Identifier: GPL-2.0 */
/* One verdict for XDP and tc alike: what becomes of a packet under the rules. */
#ifndef HEARTHWALL_VERDICT_H
#define HEARTHWALL_VERDICT_H

#include "wire.h"
#include "tables.h"
#include "home.h"
#include "filter.h"

enum verdict {
	PASS,
	DROP,
	REDIRECT,
};

/* Away from the one who is judged, or towards it. */
enum direction {
	UPLOAD,
	DOWNLOAD,
};

static inline __attribute__((always_inline)) enum direction direction_at(enum hook hook)
{
	return hook == FROM_LAN || hook == TO_WAN ? UPLOAD : DOWNLOAD;
}

/* One end of a packet's way. */
struct party {
	struct address address;
	u8 is_home;
	u8 exempt; /* the allowances that the packet falls under if a rule is on this end */
	u16 zero;
};

/*
 * A packet and what rules look at. It lies in a table of one entry for each CPU, not on the stack: the
 * verifier follows what is on the stack through every combination, and would not come to an end.
 */
struct scene {
	struct packet packet;
	struct party near; /* this side's end */
	struct party far;
	u32 packets; /* on the wire */
	u32 bytes;
	u32 interface; /* where REDIRECT goes */
	struct mac device; /* whose a rule on a MAC would be */
	u32 hook;
	u32 way; /* 0 if the packet comes from the near end, 1 if it goes there */
	u32 asked; /* the places where a rule may be, a bit each */
	u32 feeds; /* the feeds that the far end is on, a bit each */
	u32 slot; /* the blocked name's that it belongs to, 0 for none */
	u8 leaves_home; /* for a rule on a MAC */
	u64 tick; /* the kernel's, in which the clock was last asked, and what it said */
	u64 now;
	u64 unannounced; /* bytes of samples that the sensor was not woken for */
};

BPF_TABLE("percpu_array", u32, struct scene, scenes, 1);

/* Returns the CPU's scene, with nothing in it but the hook. */
static inline __attribute__((always_inline)) struct scene *new_scene(enum hook hook)
{
	u32 zero = 0;
	struct scene *scene = scenes.lookup(&zero);

	if (scene) { /* what is not set here, look_around sets */
		__builtin_memset(&scene->packet, 0, sizeof(scene->packet));
		scene->asked = scene->feeds = scene->slot = 0;
		scene->hook = hook;
		scene->way = direction_at(hook) == UPLOAD ? 0 : 1;
	}
	return scene;
}

static inline __attribute__((always_inline)) struct scene *current_scene(void)
{
	u32 zero = 0;

	return scenes.lookup(&zero);
}

/* The longest ARP frame: padded to Ethernet's least length, with two tags. */
#define MAX_ARP_FRAME 68

static inline __attribute__((always_inline)) enum direction opposite(enum direction direction)
{
	return direction == UPLOAD ? DOWNLOAD : UPLOAD;
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

static inline __attribute__((always_inline)) u8 exemptions(struct packet *packet, enum direction direction,
							   struct party *peer)
{
	bool home = !packet->family || peer->is_home;
	u8 found = 0;

	if (is_addressing(packet, direction, home))
		found |= ALLOW_ADDRESSING;
	if (is_dns(packet, direction, home))
		found |= ALLOW_DNS;
	if (packet->family && role_of(&peer->address) & ROLE_HOME_ASSISTANT)
		found |= ALLOW_HOME_ASSISTANT;
	return found;
}

/* Finds out once what every rule asks; only for packets that a rule may concern. */
static inline __attribute__((always_inline)) void look_around(struct config *settings, struct scene *scene)
{
	enum direction direction = scene->way ? DOWNLOAD : UPLOAD;
	struct packet *packet = &scene->packet;

	if (direction == UPLOAD) {
		scene->device = packet->source_mac;
		scene->near.address = packet->source;
		scene->far.address = packet->destination;
	} else {
		scene->device = packet->destination_mac;
		scene->near.address = packet->destination;
		scene->far.address = packet->source;
	}
	if (packet->family) {
		scene->near.is_home = is_home(settings, &scene->near.address);
		scene->far.is_home = is_home(settings, &scene->far.address);
		scene->far.exempt = exemptions(packet, opposite(direction), &scene->near);
		scene->leaves_home = !scene->far.is_home;
	} else {
		scene->near.is_home = scene->far.is_home = scene->far.exempt = 0;
		/* No address to go by: ARP and the like stay in the home, a mangled IP packet may not. */
		scene->leaves_home = packet->ethertype == ETHERTYPE_IPV4 || packet->ethertype == ETHERTYPE_IPV6 ||
				     packet->ethertype == ETHERTYPE_PPPOE_DISCOVERY ||
				     packet->ethertype == ETHERTYPE_PPPOE_SESSION;
	}
	scene->near.exempt = exemptions(packet, direction, &scene->far);
}

static inline __attribute__((always_inline)) bool is_allowed_peer(struct rule *rule, struct address *address)
{
	struct peer peer = { .prefix_length = 32 + 128, .rule = rule->id, .address = *address };
	u64 *expires = peers.lookup(&peer);

	return expires && (!*expires || bpf_ktime_get_boot_ns() < *expires);
}

/* Where a rule's target is: a MAC, the near or the far address. */
enum end {
	END_MAC,
	END_NEAR,
	END_FAR,
};

/* Whether a packet falls under a rule. */
static inline __attribute__((always_inline)) bool rule_covers(struct rule *rule, struct scene *scene, enum end end)
{
	struct party *target = end == END_FAR ? &scene->far : &scene->near;
	struct party *peer = end == END_FAR ? &scene->near : &scene->far;

	if (rule->mode == MODE_NO_INTERNET)
		return end == END_MAC ? scene->leaves_home : !peer->is_home;
	if (end != END_MAC && !target->is_home) /* a host of the internet needs nothing of the home */
		return true;
	if (rule->allow & target->exempt)
		return false;
	if (rule->mode != MODE_ALLOW_ONLY || !scene->packet.family)
		return true;
	return !is_allowed_peer(rule, &peer->address);
}

/* Takes what a packet costs out of a bucket; false where nothing is left. */
static inline __attribute__((always_inline)) bool within(u64 *due, u64 cost, u64 tolerance, u64 now)
{
	u64 from = *due > now ? *due : now;

	if (from - now > tolerance)
		return false;
	*due = from + cost;
	return true;
}

static inline __attribute__((always_inline)) bool within_limit(struct rule *rule, struct scene *scene, enum end end)
{
	struct limit *limit = limits.lookup(&rule->id);
	u32 way = (scene->way ^ (end == END_FAR)) & 1;
	u64 now;

	if (!limit)
		return true;
	now = bpf_ktime_get_boot_ns();
	if (limit->packet_cost &&
	    !within(&limit->packets_due[way], scene->packets * limit->packet_cost, limit->tolerance, now))
		return false;
	return !limit->byte_cost || within(&limit->bytes_due[way], scene->bytes * limit->byte_cost >> 10,
					   limit->tolerance, now);
}

/*
 * Whether a rule has not expired. A rule that was hit in this very tick of the kernel (1 to 10 ms) is
 * alive, and `now` is 0 then: the clock costs more than all the rest of a drop.
 */
static inline __attribute__((always_inline)) bool is_alive(struct rule *rule, u64 *now)
{
	*now = 0;
	if (rule->tick == (u32)bpf_jiffies64() && rule->first_hit)
		return true;
	*now = bpf_ktime_get_boot_ns();
	return !rule->expires || *now < rule->expires;
}

static inline __attribute__((always_inline)) void hit(struct rule *rule, u32 packets, u32 bytes, u64 now)
{
	__sync_fetch_and_add(&rule->packets, packets);
	__sync_fetch_and_add(&rule->bytes, bytes);
	if (!now)
		return;
	if (!rule->first_hit)
		rule->first_hit = now;
	rule->last_hit = now;
	rule->tick = bpf_jiffies64();
}

/*
 * Modes other than dropping look at each packet once: at the device's own port, or, for a rule on a
 * host of the internet, at the port of the device that it talks to.
 */
static inline __attribute__((always_inline)) bool is_elsewhere(struct rule *rule, struct scene *scene, enum end end)
{
	if (rule->hooks != EVERYWHERE) /* on its way in one direction a packet is met once */
		return false;
	return scene->hook & (FROM_WAN | TO_WAN) || (end == END_FAR && scene->far.is_home);
}

static inline __attribute__((always_inline)) bool is_never_dropped(struct scene *scene, enum end end)
{
	if (end == END_MAC)
		return never_drop_macs.lookup(&scene->device) != NULL;
	return role_of(end == END_FAR ? &scene->far.address : &scene->near.address) != 0;
}

/* What one rule does with the packet. In XDP (`early`) only what must die early: tc sees what passes again. */
static inline __attribute__((always_inline)) enum verdict apply(struct rule *rule, struct scene *scene, bool early,
								enum end end)
{
	bool soft = rule->mode > MODE_ALLOW_ONLY || rule->flags & FLAG_AUDIT;
	u64 now;

	if (rule->mode == MODE_NONE || !(rule->hooks & scene->hook))
		return PASS;
	if (early && (soft || rule->mode > MODE_NO_INTERNET))
		return PASS;
	if (!is_alive(rule, &now))
		return PASS;
	if (soft && is_elsewhere(rule, scene, end))
		return PASS;
	if (!rule_covers(rule, scene, end))
		return PASS;
	/*
	 * The never-drop set stands above every rule. It is asked only when a rule is about to drop, which
	 * gives the same answer as asking first and costs a packet that meets no rule nothing.
	 */
	if (is_never_dropped(scene, end))
		return PASS;
	if (!early && rule->mode == MODE_RATE_LIMIT && within_limit(rule, scene, end))
		return PASS;
	hit(rule, scene->packets, scene->bytes, now);
	if (rule->flags & FLAG_AUDIT)
		return PASS;
	if (rule->mode == MODE_REDIRECT) {
		scene->interface = rule->interface;
		return REDIRECT;
	}
	return DROP;
}

/* The rules on a target's services are asked from the narrowest to the widest. */
#define SERVICE_STEPS 3

static inline __attribute__((always_inline)) struct rule *find_service(struct packet *packet, u32 subject, u32 step)
{
	u8 transport = packet->protocol == PROTOCOL_ICMPV6 ? PROTOCOL_ICMP : packet->protocol;
	struct service service = { .subject = subject };

	if (step != 1) {
		if (!packet->destination_port) /* a later fragment, or a transport without ports */
			return NULL;
		service.port = packet->destination_port;
	}
	if (step != 2)
		service.transport = transport;
	return services.lookup(&service);
}

/* Nested prefixes are asked from the longest to the widest; the sensor lets no more be nested. */
#define MAX_NESTED 4

/* A target's place in the order in which rules are asked; the first that drops ends it. */
enum place {
	PLACE_MAC,
	PLACE_NEAR,
	PLACE_FAR,
	PLACE_NEAR_PREFIX,
	PLACE_FAR_PREFIX = PLACE_NEAR_PREFIX + MAX_NESTED,
	PLACES = PLACE_FAR_PREFIX + MAX_NESTED,
};

static inline __attribute__((always_inline)) struct rule *find_prefix(struct packet *packet, struct address *address,
								      u32 length)
{
	struct rule *rule;

	if (packet->family == 4) {
		struct ipv4_prefix key = { length > 32 ? 32 : length, address->part[3] };

		rule = ipv4_prefixes.lookup(&key);
		KEEP_APART(rule, 4);
	} else {
		struct network key = { length, *address };

		rule = ipv6_prefixes.lookup(&key);
		KEEP_APART(rule, 6);
	}
	return rule;
}

static inline __attribute__((always_inline)) struct rule *find_exact(struct packet *packet, struct address *address)
{
	struct rule *rule;

	if (packet->family == 4) {
		rule = ipv4_rules.lookup(&address->part[3]);
		KEEP_APART(rule, 4);
	} else {
		rule = ipv6_rules.lookup(address);
		KEEP_APART(rule, 6);
	}
	return rule;
}

static inline __attribute__((always_inline)) u64 high_of(struct address *address)
{
	return (u64)address->part[1] << 32 | address->part[0];
}

static inline __attribute__((always_inline)) u64 low_of(struct address *address)
{
	return (u64)address->part[3] << 32 | address->part[2];
}

/* Which places may hold a rule for the packet: nearly always none. */
static inline __attribute__((always_inline)) u32 candidates(struct config *settings, struct packet *packet,
							    enum hook hook)
{
	bool upload = direction_at(hook) == UPLOAD;
	struct address *near = upload ? &packet->source : &packet->destination;
	struct address *far = upload ? &packet->destination : &packet->source;
	u32 zero = 0, found = 0;
	struct filters *bits;

	bits = filters.lookup(&zero);
	if (!bits)
		return 0;
	if (hook & (FROM_LAN | TO_LAN) && settings->mac_rules)
		found |= may_have_mac(bits, *(u64 *)(upload ? &packet->source_mac : &packet->destination_mac))
			 << PLACE_MAC;
	if (packet->family == 4) {
		if (settings->ipv4_rules)
			found |= may_have_ipv4(bits, near->part[3]) << PLACE_NEAR |
				 may_have_ipv4(bits, far->part[3]) << PLACE_FAR;
		if (settings->ipv4_prefixes)
			found |= may_have_ipv4_prefix(bits, near->part[3]) << PLACE_NEAR_PREFIX |
				 may_have_ipv4_prefix(bits, far->part[3]) << PLACE_FAR_PREFIX;
	} else if (packet->family == 6) {
		if (settings->ipv6_rules)
			found |= may_have_ipv6(bits, high_of(near), low_of(near)) << PLACE_NEAR |
				 may_have_ipv6(bits, high_of(far), low_of(far)) << PLACE_FAR;
		if (settings->ipv6_prefixes)
			found |= may_have_ipv6_prefix(bits, near->part[0]) << PLACE_NEAR_PREFIX |
				 may_have_ipv6_prefix(bits, far->part[0]) << PLACE_FAR_PREFIX;
	}
	return found;
}

/* The target that has a rule at a place, if there is one; remembers to ask for a wider prefix around it. */
static inline __attribute__((always_inline)) struct rule *find_target(struct scene *scene, u32 place, u32 *length)
{
	bool far = place == PLACE_FAR || place >= PLACE_FAR_PREFIX;
	struct address *address = far ? &scene->far.address : &scene->near.address;
	struct rule *target;

	if (place == PLACE_MAC)
		return mac_rules.lookup(&scene->device);
	if (place < PLACE_NEAR_PREFIX)
		return find_exact(&scene->packet, address);
	if (place == PLACE_NEAR_PREFIX || place == PLACE_FAR_PREFIX)
		*length = 128;
	target = find_prefix(&scene->packet, address, *length);
	if (target && target->prefix_length && place != PLACE_FAR_PREFIX - 1 && place != PLACES - 1) {
		*length = target->prefix_length - 1;
		scene->asked |= 2 << place;
	}
	return target;
}

/* The verdict of the rules that people and automations order, of those that `candidates` has found may be there. */
static inline __attribute__((always_inline)) enum verdict judge(struct scene *scene, bool early)
{
	u32 place, step, length = 128;

	if (!scene->asked)
		return PASS;
#pragma clang loop unroll(disable)
	for (place = 0; place < PLACES; place++) {
		bool far = place == PLACE_FAR || place >= PLACE_FAR_PREFIX;
		enum end end = place == PLACE_MAC ? END_MAC : far ? END_FAR : END_NEAR;
		struct rule *target;

		if (!(scene->asked >> place & 1))
			continue;
		target = find_target(scene, place, &length);
		if (!target)
			continue;
#pragma clang loop unroll(disable)
		for (step = 0; step <= SERVICE_STEPS; step++) {
			struct rule *rule = target;
			enum verdict verdict;

			if (step && (!(target->flags & FLAG_SERVICES) || !scene->packet.family))
				break;
			if (step)
				rule = find_service(&scene->packet, target->subject, step - 1);
			if (!rule)
				continue;
			verdict = apply(rule, scene, early, end);
			if (verdict != PASS)
				return verdict;
		}
	}
	return PASS;
}

#endif
